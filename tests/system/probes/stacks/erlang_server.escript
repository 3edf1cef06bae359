%% A TLS server of Erlang/OTP whose settings are its arguments; one connection at a time, closed after the handshake.
%% PORT CERT KEY VERSIONS SUITES GROUPS; the last three are names joined by commas, "" for the library's own choice.
names(Text) -> string:tokens(Text, ",").

atoms(Text) -> [list_to_atom(Name) || Name <- names(Text)].

settings(Cert, Key, Versions, Suites, Groups) ->
    [{ip, {127, 0, 0, 1}}, {reuseaddr, true}, {active, false}, {certfile, Cert}, {keyfile, Key}, {log_level, none},
     {versions, atoms(Versions)}, {ciphers, [ssl:str_to_suite(Name) || Name <- names(Suites)]}]
        ++ [{supported_groups, atoms(Groups)} || Groups =/= ""].

serve(Listener) ->
    {ok, Socket} = ssl:transport_accept(Listener),
    case ssl:handshake(Socket, 3000) of
        {ok, Session} -> ssl:close(Session);
        _ -> closed
    end,
    serve(Listener).

main([Port, Cert, Key, Versions, Suites, Groups]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, Listener} = ssl:listen(list_to_integer(Port), settings(Cert, Key, Versions, Suites, Groups)),
    serve(Listener).
