#include "harness/expr/prelude.hpp"

namespace assay::expr {

// Notes leave through libjq's debug callback, which nothing in a program can catch: a missing fact or an unknown name
// stays known even when `//` or attempt() swallows the error that goes with it. `error` is wrapped because libjq 1.6
// ends a program silently on error(null), `isempty` because its own one swallows errors, and `recurse` (that is `..`)
// because it is written with `?`, which in libjq 1.6 also catches what later steps raise.
const std::string_view kPrelude = R"jq(
def __raise: error;
def __note($m): ["missing", $m] | debug | empty;
def __fault($m): (["error", $m] | debug | empty), ($m | __raise);
def __missing($m): __note($m), ({__missing: $m} | __raise);
def error(m): m | if . == null then __fault("null was raised as an error") else __raise end;
def error: error(.);
def recurse: recurse(if type == "array" or type == "object" then .[] else empty end);
def recurse_down: recurse;
def isempty(g): [label $out | g | (1, break $out)] | length == 0;
def attempt(f): [f?] | .[];
def __is_observation: type == "object" and has("completion") and has("alias");
def __is_root: type == "object" and has("obs") and has("specs");
def __sample: if ($__judge.dut.samples | length) > 1 then " of sample \(.sample)" else "" end;
def __place: (if .endpoint == null then "the device" else .endpoint end) + __sample;
def __ending: if .completion == "completed" then "the probe did not say why" else (.completion | gsub("_"; " "))
  + (if (.error | type) == "string" and .error != "" then ": " + .error else "" end) end;
def __name($n; $of): if ($n | type) == "string" then $n else __fault("\($of)() needs a name in quotes") end;
def obs($alias): __name($alias; "obs")
  | if $__judge.obs | has($alias) then $__judge.obs[$alias][] + {alias: $alias}
    else __fault("unknown alias \"\($alias)\"; this unit observes \($__judge.obs | keys | join(", "))") end;
def __declares($k): $__judge.specs[.alias] | index($k) != null;
def __known($k): if __declares($k) then .
  else __fault("unknown fact \"\($k)\": the probe of \"\(.alias)\" declares \($__judge.specs[.alias] | join(", "))") end;
def __aliases($k): [$__judge.specs | to_entries[] | select(.value | index($k) != null) | .key];
def __observations($k; $of): . as $here | __name($k; $of) | $here
  | if __is_observation then __known($k)
    elif __is_root then __aliases($k) as $aliases
      | if $aliases == [] then __fault("unknown fact \"\($k)\": no probe of this unit declares it")
        else $aliases[] | obs(.) end
    else __fault("\($of)() reads an observation: obs(\"alias\") | \($of)(\"name\")") end;
def __unobserved($k): "\(.alias).\($k) on \(__place) (\(.unobserved[$k] // __ending))";
def __read($k; value; absent): if .facts | has($k) then value
  elif .absent | index($k) != null then absent else __missing(__unobserved($k)) end;
def __absent($k): error("fact \"\($k)\" is absent on \(__place): ask present(\"\($k)\") first or give a default, "
  + "fact(\"\($k)\"; …)");
def fact($k; default): __observations($k; "fact") | __read($k; .facts[$k]; default);
def fact($k): __observations($k; "fact")
  | __read($k; .facts[$k]; __absent($k));
def present($k): __observations($k; "present") | __read($k; true; false);
def observed($k): __observations($k; "observed")
  | if (.facts | has($k)) or (.absent | index($k) != null) then true else (__note(__unobserved($k)), false) end;
def __covered($k): if .coverage | has($k) then .coverage[$k]
  else __missing("\(.alias).coverage.\($k) on \(__place) (\(__ending))") end;
def coverage($k): . as $here | __name($k; "coverage") | $here
  | if __is_observation then __covered($k)
    elif __is_root then [$__judge.obs | keys[] | obs(.) | select(.coverage | has($k)) | .coverage[$k]] as $all
      | if $all == [] then __missing("coverage.\($k) (no observation carries it)") else $all[] end
    else __fault("coverage() reads an observation: obs(\"alias\") | coverage(\"name\")") end;
def evidence($k): [__observations($k; "evidence") | .evidence | if has($k) then .[$k][] else empty end];
def __provision($id): __name($id; "support") | if $__judge.names.ics | index($id) != null then .
  else __fault("unknown provision \"\($id)\": the standard of this plan has none of that id") end;
def support($id): __provision($id) | if $__judge.ics | has($id) then $__judge.ics[$id].support else "missing" end;
def ics($id): __provision($id) | if $__judge.ics | has($id) then $__judge.ics[$id]
  else __missing("ICS \($id) (not declared)") end;
def __table($t): __name($t; "ixit") | if $__judge.names.ixit | index($t) != null then .
  else __fault("unknown IXIT table \"\($t)\": the method of this plan has none of that name") end;
def ixit_declared($t): __table($t) | . as $name | $__judge.ixit | has($name);
def ixit($t): if ixit_declared($t) then $__judge.ixit[$t][] else __missing("IXIT \($t) (not declared)") end;
def __names_port($endpoint): .port | if type == "array" then index($endpoint) != null else . == $endpoint end;
def declared($t; $endpoint): ixit_declared($t) as $there
  | if ($endpoint | type) != "string" then __fault("declared() needs an endpoint such as \"tcp/443\"")
    elif $there then (if any($__judge.ixit[$t][]; __names_port($endpoint)) then "yes" else "no" end)
    else (__note("IXIT \($t) (not declared)"), "missing") end;
def __ports: .port // empty | if type == "array" then .[] else . end | strings;
def __listed($ts; $of): if ($ts | type) == "array" and ($ts | length) > 0 then $ts[] | __table(.)
  else __fault("\($of)() needs a list of IXIT tables") end;
def __there($ts; $of): __listed($ts; $of) | . as $name | select($__judge.ixit | has($name));
def __mud_offers($endpoint): ($endpoint | split("/")) as $parts | ($parts[1] | tonumber) as $port
  | any(($__judge.mud // [])[]; .offered and (.transport == "" or .transport == $parts[0])
      and .first_port <= $port and $port <= .last_port);
def __and: if length < 2 then join("") else (.[:-1] | join(", ")) + " and " + .[-1] end;
def __no_entry($ts): "IXIT " + ($ts | __and) + (if ($ts | length) > 1 then " do" else " does" end) + " not name it";
def __in_tables($ts; $endpoint): (if ixit_declared($ts[0]) then empty else __note("IXIT \($ts[0]) (not declared)") end),
  any(__there($ts; "undeclared"); any($__judge.ixit[.][]; __names_port($endpoint)));
def __is_service($of): if __is_observation and (.endpoint | type) == "string" then .
  else __fault("\($of)() reads an observation of an endpoint: obs(\"services\") | \($of)([…])") end;
def __service: if observed("service.protocol") then fact("service.protocol"; "a service that was not identified") else "a service" end;
def service_endpoints($ts; $always): if __is_observation then . else __fault("service_endpoints() reads obs(\"ports\")") end
  | [ (fact("ports.open")[] | .endpoint), $always[],
      (__there($ts; "service_endpoints") | $__judge.ixit[.][] | __ports | select(startswith("udp/"))),
      (($__judge.mud // [])[] | select(.offered and .transport == "udp" and .first_port == .last_port) | "udp/\(.first_port)") ]
  | unique[];
def login_endpoints: __is_service("login_endpoints")
  | (if observed("service.logins") then fact("service.logins"; []) else [] end) as $logins
  | (if observed("service.protocol") then fact("service.protocol"; "") else "" end) as $protocol
  | .endpoint as $endpoint
  | select(if .endpoint | startswith("tcp/") then
             (($__judge.dut.logins // []) | index($endpoint) != null) or ($logins | length) > 0 or ($protocol == "http" and (observed("service.logins") | not)) or ($protocol | IN("ftp", "telnet", "ssh", "mqtt", "rtsp", "smtp", "imap", "pop3", "vnc", "redis", "postgresql", "mysql"))
           else $protocol | IN("snmp", "tftp", "dtls", "ipmi") end)
  | .endpoint;
def __login_family: if startswith("smtp-") then "smtp" elif startswith("rtsp-") then "rtsp" else . end;
def other_logins($tried): if type == "array" then . else __fault("other_logins() reads a list of dialects") end
  | ($tried | if type == "array" then . else [. // ""] end | map(__login_family)) as $families
  | [.[] | select(__login_family as $family | $families | index($family) | not)];
def declared_services($ts): [ __there($ts; "declared_services") | . as $t | $__judge.ixit[$t][] | select(.status != "disabled")
    | . as $entry | __ports | {endpoint: ., name: ("IXIT \($t)" + ($entry | [.id, .service] | map(strings | " " + .) | join("")))} ]
  | unique_by(.endpoint)[];
def undeclared($ts): __is_service("undeclared") | select(fact("service.reachable")) | . as $o
  | [__in_tables($ts; $o.endpoint)] as $named
  | select(ixit_declared($ts[0]) and $named == [false] and (__mud_offers($o.endpoint) | not))
  | __service as $service
  | {what: "\(.endpoint) (\($service)) is reachable from \(.vantage), and \(__no_entry($ts))", endpoint: .endpoint,
     expected: "an IXIT \($ts[0]) entry with port \(.endpoint)", observed: $service,
     evidence: evidence("service.reachable"), observation: .id};
def declaration_doubts($ts): __is_service("declaration_doubts") | . as $o | fact("service.reachable") as $reachable
  | if $reachable then
      select(ixit_declared($ts[0])) | select([__in_tables($ts; $o.endpoint)] == [false] and __mud_offers($o.endpoint))
      | {what: "\(.endpoint) (\(__service)) is reachable from \(.vantage), the MUD file declares it, and \(__no_entry($ts))",
         endpoint: .endpoint, expected: "the same in the MUD file and in IXIT \($ts[0])",
         evidence: evidence("service.reachable"), observation: .id}
    else
      first(declared_services($ts) | select(.endpoint == $o.endpoint)) as $declared
      | {what: "\(.endpoint) (\($declared.name)) is declared and could not be reached from \(.vantage)", endpoint: .endpoint,
         expected: "reachable as declared, or declared disabled", evidence: evidence("service.reachable"), observation: .id}
    end;
def undeclared_udp($ts): . as $o | fact("udp.open")[] | . as $port
  | [__in_tables($ts; $port.endpoint)] as $named
  | select(ixit_declared($ts[0]) and $named == [false] and (__mud_offers($port.endpoint) | not))
  | {what: "\($port.endpoint) (\($port.protocol)) answers from \($o.vantage), and \(__no_entry($ts))",
     endpoint: $port.endpoint, expected: "an IXIT \($ts[0]) entry with port \($port.endpoint)", observed: $port.protocol,
     evidence: ($o | evidence("udp.open")), observation: $o.id};
def port_doubts: . as $o
  | ( (fact("ports.behaviour"; [])[] | select(.kind == ("accepts_everywhere", "turns_away", "stopped_answering"))
       | {what: .words, observation: $o.id}),
      (fact("ports.unreliable"; [])[]
       | {what: "\(.endpoint) gave no reliable answer (\(.reason))", endpoint: .endpoint, observation: $o.id}),
      (coverage("tcp") | select(.answered == 0)
       | {what: "None of \(.asked) TCP ports answered: the device may be off, or everything is filtered on the way",
          observation: $o.id}) );
def udp_doubts: . as $o
  | ( (fact("udp.unreliable")[]
       | {what: "\(.endpoint) gave no reliable answer (\(.reason))", endpoint: .endpoint, observation: $o.id}),
      (coverage("udp") | select(.answered == 0)
       | {what: "None of \(.asked) UDP ports answered or refused: the device may be off, or everything is filtered on the way",
          observation: $o.id}) );
def __pair($of): if $__judge | has("pair") then $__judge.pair else __fault("\($of)() is for units with a state pair") end;
def __thing: if type == "object" and has("endpoint") then .endpoint else tojson end;
def __change($was; $is): {gone: [$was[] | select(__thing as $t | any($is[]; __thing == $t) | not)],
  appeared: [$is[] | select(__thing as $t | any($was[]; __thing == $t) | not)],
  stayed: [$is[] | select(__thing as $t | any($was[]; __thing == $t))]};
def changes($k): __name($k; "changes") | __pair("changes") as $pair | __aliases($k) as $aliases
  | (if $aliases == [] then __fault("unknown fact \"\($k)\": no probe of this unit declares it") else $aliases end)
  | ([.[] | select(. as $a | $pair.after | index($a) != null) | obs(.)]) as $later
  | .[] | select(. as $a | $pair.after | index($a) == null) | obs(.) as $old | $later[]
  | select(.sample == $old.sample and .vantage == $old.vantage and .address == $old.address
           and .endpoint == $old.endpoint and (.state | split("+")[0]) == $old.state) | . as $new
  | ($old | fact($k; [])) as $was | ($new | fact($k; [])) as $is
  | {sample: $old.sample, vantage: $old.vantage, address: $old.address, state: $old.state, endpoint: $old.endpoint,
     before: $old.id, after: $new.id, evidence: (($old | evidence($k)) + ($new | evidence($k)))} + __change($was; $is);
def still_there(c): __pair("still_there") as $pair | [c] as $changes | $pair.closes[] as $port | $changes[]
  | select(any(.stayed[], .appeared[]; .endpoint == $port))
  | {what: "\($port) still answers from \(.vantage) after the trigger \($pair.trigger), which is to close it",
     endpoint: $port, expected: "closed once its service is switched off", observed: "open", evidence: .evidence,
     observation: [.before, .after]};
def pair_doubts(c): __pair("pair_doubts") as $pair | [c] as $changes
  | ( ($pair.closes | select(length == 0)
       | {what: "The DUT file does not say which ports the trigger \($pair.trigger) closes (lab.trigger, key closes)"}),
      ($pair.closes[] as $port | select(any($changes[]; any(.gone[], .stayed[]; .endpoint == $port)) | not)
       | {what: "\($port) was not open before the trigger \($pair.trigger), so the pair shows nothing of it", endpoint: $port}) );
def __in_ranges($ranges; $port): any($ranges | split(",")[] | split("-") | map(tonumber); .[0] <= $port and $port <= .[-1]);
def sweep_contradictions($ports): __is_service("sweep_contradictions") | . as $o | select(.endpoint | startswith("tcp/"))
  | (.endpoint[4:] | tonumber) as $port | fact("service.reachable") as $reachable | evidence("service.reachable") as $seen
  | obs($ports) | select(.sample == $o.sample and .vantage == $o.vantage and .state == $o.state)
  | select(observed("ports.open")) | any(fact("ports.open"; [])[]; .endpoint == $o.endpoint) as $open
  | select($open != $reachable) | select($open or __in_ranges(coverage("tcp").ranges; $port))
  | {what: ("\($o.endpoint) " + (if $open then "accepted in the sweep and could not be reached afterwards"
                                 else "did not accept in the sweep and could be reached afterwards" end)),
     endpoint: $o.endpoint, expected: "the same answer twice", evidence: (evidence("ports.open") + $seen),
     observation: [.id, $o.id]};
def __protocols: ["ssh", "tls"];
def policy($protocol): __name($protocol; "policy")
  | if __protocols | index($protocol) == null then __fault("unknown protocol \"\($protocol)\": policies are for \(__protocols | __and)") else . end
  | [$__judge.policies // [] | .[] | select(.protocol == $protocol)]
  | if . == [] then __missing("policy for \($protocol) (neither the plan nor its methods name one)") else .[] end;
def __is_policy($of): if type == "object" and has("lists") and has("unlisted") then .
  else __fault("\($of)() reads a policy: policy(\"ssh\") | \($of)(…)") end;
def policy_title: __is_policy("policy_title") 
  | "\(.title) \(.version)" + (if .date == "undated" then ", undated" else " of \(.date)" end);
def __categories: ["version", "kex", "host_key", "cipher", "mac", "compression", "suite", "group", "signature", "key_size"];
def __category($c): if __categories | index($c) != null then . else __fault("unknown category \"\($c)\": policies have \(__categories | __and)") end;
def __expired: .until != 0 and .until < ($__judge.run.date[0:4] | tonumber);
def __speaks_of($name): if .name | endswith("*") then .name[:-1] as $head | $name | startswith($head) else .name == $name end;
def __sure_of($policy): if (.strength // "") == "" then $policy.strength else .strength end;
def graded($category; $name): __is_policy("graded") | __category($category) | . as $policy
  | if .lists | has($category) | not then {grade: "silent", until: 0, note: ""}
    else [.lists[$category][] | select(__speaks_of($name))] | ([.[] | select(.name == $name)] + .)
      | first(.[] | select(__expired | not)) // .[0]
      | if . == null then {grade: "unlisted", until: 0, note: ""} elif __expired then . + {grade: "expired"} else . end
    end
  | . + {name: $name, row: (.name // ""), strength: __sure_of($policy)};
def __in_words: (if .grade == "expired" then "good until the end of \(.until)"
  elif .grade == "unlisted" then "not listed" else .grade end) + (if .note == "" then "" else " (" + .note + ")" end);
def __graded_names($category; $names): . as $policy | $names[] as $name | $policy | graded($category; $name)
  | {name, grade, words: __in_words, row, strength};
def __out($category; $names): .unlisted as $unlisted | __graded_names($category; $names)
  | select(.grade == "forbidden" or ((.grade | IN("unlisted", "expired")) and $unlisted == "forbidden"));
def ruled_out($category; $names): __out($category; $names) | select(.strength != "unconfirmed");
def ruled_out_unconfirmed($category; $names): __out($category; $names) | select(.strength == "unconfirmed");
def unlisted($category; $names): .unlisted as $unlisted | __graded_names($category; $names)
  | select((.grade | IN("unlisted", "expired")) and $unlisted == "doubt");
def __sizes($kind): . as $policy | .lists.key_size // [] | .[]
  | select(__speaks_of($kind) and .grade != "forbidden" and (__expired | not)) | {bits, row: .name, strength: __sure_of($policy)};
def required_bits($kind): __is_policy("required_bits") | [__sizes($kind) | .bits] | if . == [] then empty else min end;
def __below($key): required_bits($key.kind) as $least | select($key.bits < $least)
  | [__sizes($key.kind)] | . as $all | [.[] | select(.strength != "unconfirmed")]
  | if . == [] then $all | min_by(.bits) else min_by(.bits) end;
def __few: if length > 6 then (.[:6] | join(", ")) + " and \(length - 6) more" else __and end;
def __unconfirmed($policy): [.[].row | select(. != "")] | unique
  | "by " + (if . == [] then "the lists of" else "the row\(if length > 1 then "s" else "" end) \(__few) of" end)
    + " \($policy | policy_title), whose confidence is unconfirmed: an assessor has to decide";
def __seen($k): if observed($k) then fact($k; []) else [] end;
def tls_endpoints: __is_service("tls_endpoints") | select(__seen("service.reachable") == true)
  | select(__seen("service.tls") == true or __seen("service.starttls") == true) | .endpoint;
def __tls_certified_by: [__seen("tls.certificates")[][] | select(.self_signed != true) | .signature // ""
  | {"md5WithRSAEncryption": "rsa_pkcs1_md5", "sha1WithRSAEncryption": "rsa_pkcs1_sha1", "sha224WithRSAEncryption": "rsa_pkcs1_sha224",
     "ecdsa-with-SHA1": "ecdsa_sha1", "ecdsa-with-SHA224": "ecdsa_sha224", "dsaWithSHA1": "dsa_sha1"}[.] // empty] | unique;
def __tls_lists: (["version", "tls.versions", __seen("tls.versions")], ["suite", "tls.suites", ([__seen("tls.suites")[].name] | unique)],
  ["group", "tls.groups", ([__seen("tls.groups")[].name] | unique)], ["signature", "tls.signatures", ([__seen("tls.signatures")[].name] | unique)],
  ["signature", "tls.certificates", __tls_certified_by])
  | {category: .[0], fact: .[1], names: .[2], takes: (if .[1] == "tls.certificates" then "shows a certificate signed with" else "takes" end)};
def __tls_validity: . as $o | $__judge.run.date as $now | [__seen("tls.certificates")[][0]] | unique[] | select(.not_after != null and .not_before != null)
  | (if .not_after < $now then "ran out on \(.not_after)" elif .not_before > $now then "is not valid before \(.not_before)" else empty end) as $when
  | {what: "The certificate of \($o.endpoint) \($when), by the clock of the run: an assessor has to decide", evidence: ($o | evidence("tls.certificates"))};
def __tls_keys: (__seen("tls.certificates")[] | .[0] | select(.key_bits != null)
    | {kind: ({"RSA": "rsa", "RSA-PSS": "rsa", "EC": "ecdsa", "DSA": "dsa", "ED25519": "ed25519", "ED448": "ed448"}[.key_type] // .key_type),
       bits: .key_bits, words: "a certificate with a key of \(.public_key)", fact: "tls.certificates"}),
  (__seen("tls.dh")[] | {kind: "dh", bits, words: "finite-field parameters of \(.bits) bits", fact: "tls.dh"});
def __tls_out($policy): . as $o
  | ( __tls_lists as $list | [$policy | __out($list.category; $list.names)] | group_by([.strength == "unconfirmed", .words])[]
      | {rows: ., fact: $list.fact, what: "\($o.endpoint) \($list.takes) \([.[].name] | __few): \(.[0].words)", observed: ([.[].name] | join(", "))} ),
    ( __tls_keys as $key | $policy | __below($key)
      | {rows: [.], fact: $key.fact, what: "\($o.endpoint) shows \($key.words), and \(.bits) are asked for", observed: "\($key.bits) bits"} );
def tls_ruled_out: __is_service("tls_ruled_out") | select(__seen("tls.spoken") == true) | . as $o | policy("tls") as $policy
  | __tls_out($policy) | select(.rows[0].strength != "unconfirmed")
  | .fact as $fact | {what, endpoint: $o.endpoint, expected: ($policy | policy_title), observed, evidence: ($o | evidence($fact)), observation: $o.id};
def tls_weak: __is_service("tls_weak") | select(__seen("tls.spoken") == true) | . as $o
  | __seen("tls.weaknesses")[] | select(.state == "shown")
  | {what: "\($o.endpoint) has the weakness \(.name): \(.why)", endpoint: $o.endpoint, expected: "none that is known", observed: .name,
     evidence: ($o | evidence("tls.weaknesses")), observation: $o.id};
def tls_attackable: tls_endpoints | select(startswith("tcp/"));
def tls_attacked: __is_service("tls_attacked") | select(__seen("tls_attacks.spoken") == true) | . as $o
  | __seen("tls_attacks.weaknesses")[] | select(.state == "shown")
  | {what: "\($o.endpoint) has the weakness \(.name): \(.why)", endpoint: $o.endpoint, expected: "none that is known", observed: .name,
     evidence: ($o | evidence("tls_attacks.weaknesses")), observation: $o.id};
def __versions_in_words: tostring | (if test("TLS"; "i") then [scan("1\\.[0-3]")] else [] end) as $named
  | if ($named | length) > 0 and test("newer|later|higher|above|at least|minimum|or up"; "i") then ["1.0", "1.1", "1.2", "1.3"] | .[index($named | min):]
    else $named end;
def tls_undescribed($ts): __is_service("tls_undescribed") | select(__seen("tls.spoken") == true) | . as $o
  | __there($ts; "tls_undescribed") | . as $table | $__judge.ixit[$table][] | select(__names_port($o.endpoint))
  | . as $entry | (.cryptography // "" | __versions_in_words) as $described | select($described | length > 0)
  | [$o | __seen("tls.versions")[] | . as $version
     | select([$described[] | if . == "1.0" then "TLSv1", "DTLSv1" else "TLSv" + ., "DTLSv" + . end] | index($version) == null)]
  | select(length > 0)
  | {what: "\($o.endpoint) takes \(__and), and IXIT \($table) \($entry.id // "without id") describes TLS \($described | unique | __and)",
     endpoint: $o.endpoint, expected: ($entry.cryptography | tostring), observed: join(", "), evidence: ($o | evidence("tls.versions")), observation: $o.id};
def __tls_conditions: . as $o | policy("tls") as $policy
  | [[__seen("tls.suites")[].name] | unique[] as $name | $policy | graded("suite"; $name)
     | select((.needs // "") != "" and (.grade | IN("recommended", "allowed", "transitional")))] | group_by(.needs)[]
  | .[0].needs as $needs | ($o | __seen("tls.behaviour") | if type == "object" then .[$needs] else null end) as $look | select($look.yes != true)
  | {what: "\($o.endpoint) takes \([.[].name] | __few), which \($policy | policy_title) lists only with \($needs | gsub("_"; "-")): \($look.why // "not asked")"};
def __attack_doubts: select(__seen("tls_attacks.spoken") == true) | . as $o | __seen("tls_attacks.weaknesses")[] | select(.state == "unknown")
  | {what: "Whether \($o.endpoint) has the weakness \(.name) was not settled: \(.why)", endpoint: $o.endpoint,
     evidence: ($o | evidence("tls_attacks.weaknesses")), observation: $o.id};
def __survey_doubts: select(__seen("tls.spoken") == true) | . as $o
  | ( __seen("tls.unsettled")[] | {what: "\($o.endpoint) was not asked to the end in \(.version): \(.why)"} ),
    ( select(__seen("tls.groups_settled") | not) | {what: "The groups of \(.endpoint) were not asked to the end"} ),
    ( __seen("tls.weaknesses")[] | select(.state == "precondition")
      | select(.name | IN("drown", "sweet32", "rc4", "crime", "raccoon", "logjam", "insecure_renegotiation", "dtls_amplification"))
      | {what: "\($o.endpoint) has what the weakness \(.name) needs (\(.why)), and an attack was not tried: an assessor has to decide"} ),
    ( policy("tls") as $policy | __tls_lists as $list | [$policy | unlisted($list.category; $list.names)] | select(length > 0)
      | {what: "\($o.endpoint) \($list.takes) \([.[].name] | __few), which \($policy | policy_title) does not list now: an assessor has to decide"} ),
    ( policy("tls") as $policy | __tls_out($policy) | select(.rows[0].strength == "unconfirmed") | .fact as $fact
      | {what: "\(.what) \(.rows | __unconfirmed($policy))", evidence: ($o | evidence($fact))} ),
    __tls_conditions, __tls_validity
  | . + {endpoint: $o.endpoint, observation: $o.id};
def tls_doubts: __is_service("tls_doubts") | if __declares("tls_attacks.weaknesses") then __attack_doubts else __survey_doubts end;
def __ssh_lists: {category: "version", about: "protocol", key: "ssh.protocol", names: [__seen("ssh.protocol") | strings]},
  {category: "kex", about: "key exchange", key: "ssh.kex", names: __seen("ssh.kex")},
  {category: "host_key", about: "host key algorithm", key: "ssh.host_keys", names: ([__seen("ssh.host_keys")[].algorithms[]] | unique)},
  {category: "cipher", about: "cipher", key: "ssh.ciphers_to_client", names: (__seen("ssh.ciphers_to_server") + __seen("ssh.ciphers_to_client") | unique)},
  {category: "mac", about: "MAC", key: "ssh.macs_to_client", names: (__seen("ssh.macs_to_server") + __seen("ssh.macs_to_client") | unique)};
def __ssh_sizes: (__seen("ssh.host_keys")[] | select(.understood and .kind != "")
    | {kind, bits, key: "ssh.host_keys", about: "a host key of kind \(.type) with \(.bits) bits"}),
  ((__seen("ssh.fixed_groups") + [__seen("ssh.group_exchange")[] | select(.given)])[]
    | {kind: "dh", bits, key: (if has("asked") then "ssh.group_exchange" else "ssh.fixed_groups" end),
       about: "a group of \(.bits) bits (\(.method))"});
def __described($ts): .endpoint as $endpoint
  | [__there($ts; "ssh_ruled_out") | $__judge.ixit[.][] | select(__names_port($endpoint)) | .cryptography // "" | tostring] | join("; ");
def __against_lists: . as $o | policy("ssh") as $policy | ($o | __ssh_lists) as $list
  | $policy | __out($list.category; $list.names)
  | {name, words: "offers the \($list.about) \(.name)", grade: .words, key: $list.key, policy: $policy, row, strength};
def __against_sizes: . as $o | policy("ssh") as $policy | ($o | __ssh_sizes) as $size
  | $policy | __below($size)
  | {name: $size.about, words: "uses \($size.about)", grade: "below \(.bits) bits", key: $size.key, policy: $policy, row, strength};
def __ssh_by: .policy as $policy | if .strength == "unconfirmed" then [.] | __unconfirmed($policy) else "by \($policy | policy_title)" end;
def __ssh_item($o): {what: "\($o.endpoint) \(.words): \(.grade) \(__ssh_by)", endpoint: $o.endpoint,
  expected: "what \(.policy | policy_title) allows", observed: .name, evidence: (.key as $k | $o | evidence($k)), observation: $o.id};
def ssh_ruled_out($ts): __is_service("ssh_ruled_out") | . as $o | __described($ts) as $described
  | (__against_lists, __against_sizes) | select(.strength != "unconfirmed")
  | select(.name as $name | $described | contains($name) | not) | __ssh_item($o);
def ssh_doubts($ts): __is_service("ssh_doubts") | . as $o | __described($ts) as $described
  | ( ((__against_lists, __against_sizes) | select(.name as $name | $described | contains($name)) | __ssh_item($o)
       | .what += ", and the declaration names it: whether it is good enough is for the assessor"),
      ((__against_lists, __against_sizes) | select(.strength == "unconfirmed")
       | select(.name as $name | $described | contains($name) | not) | __ssh_item($o)),
      (policy("ssh") as $policy | __ssh_lists as $list | $policy | unlisted($list.category; $list.names)
       | {what: "\($o.endpoint) offers the \($list.about) \(.name), which \($policy | policy_title) does not list now", endpoint: $o.endpoint,
          evidence: ($list.key as $k | $o | evidence($k)), observation: $o.id}),
      (__seen("ssh.host_keys_unseen")[]
       | {what: "\($o.endpoint) lists host keys of the kind \(.family) and showed none: \(.reason)", endpoint: $o.endpoint, observation: $o.id}),
      (select(__seen("ssh.terrapin_precondition") == true)
       | {what: "\(.endpoint) offers a cipher mode that CVE-2023-48795 needs, without strict key exchange: an assessor has to decide whether its clients are safe",
          endpoint: .endpoint, evidence: evidence("ssh.terrapin_precondition"), observation: .id}) );
def __tells($k): if observed($k) then fact($k; false) else false end;
def __host_keys($alias): [obs($alias) | . as $o | __seen("ssh.host_keys")[]
  | {key: .fingerprint, of: .fingerprint, words: .type, sample: $o.sample, endpoint: $o.endpoint, id: $o.id,
     evidence: ($o | evidence("ssh.host_keys"))}];
def __certificate_keys($alias): [obs($alias) | select(__tells("tls.spoken")) | . as $o | __seen("tls.certificates")[][0]
  | select(.key_sha256 != null)
  | {key: .key_sha256, of: .sha256, words: .public_key, sample: $o.sample, endpoint: $o.endpoint, id: $o.id,
     evidence: ($o | evidence("tls.certificates"))}];
def __own_groups($alias): [obs($alias) | select(__tells("tls.spoken")) | . as $o | __seen("tls.dh")[] | select(.known == "")
  | {key: .sha256, of: .sha256, words: "\(.bits) bits", sample: $o.sample, endpoint: $o.endpoint, id: $o.id,
     evidence: ($o | evidence("tls.dh"))}];
def __places: [group_by(.sample)[] | "\(.[0].sample) (\([.[].endpoint] | unique | join(", ")))"] | __and;
def __shared($shown; words): $shown | group_by(.key)[] | select(([.[].sample] | unique | length) > 1)
  | {what: "Samples \(__places) show \(words)", endpoint: .[0].endpoint, observed: .[0].key, evidence: ([.[].evidence[]] | unique),
     observation: ([.[].id] | unique)};
def rests_on($ports): [.observation] | flatten
  | any(.[]; . as $id | any($__judge.obs[][]; .id == $id and (.endpoint as $endpoint | $ports | index($endpoint) != null)));
def shared_host_keys($alias): __shared(__host_keys($alias); "the same SSH host key (\(.[0].words))")
  | . + {expected: "a host key of each device's own"};
def shared_certificate_keys($alias): __shared(__certificate_keys($alias);
    (if ([.[].of] | unique | length) == 1 then "the same certificate" else "different certificates of the same key" end) + " (\(.[0].words))")
  | . + {expected: "a certificate key of each device's own"};
def shared_groups($alias): __shared(__own_groups($alias); "the same finite-field parameters (\(.[0].words)), which are no registered group")
  | . + {expected: "a registered group, or parameters of each device's own"};
def keys_seen($alias): (if $__judge.specs[$alias] | index("ssh.host_keys") != null then __host_keys($alias) else __certificate_keys($alias) end)
  | group_by(.key)[] | {key: .[0].key, words: .[0].words, places: ([.[] | {sample, endpoint}] | unique)};
def __shown_keys: ( (if __declares("tls.certificates") and __tells("tls.spoken") then __seen("tls.certificates")[][]
      | {item: ., about: "a certificate (\(.subject // ""))", fact: "tls.certificates"} else empty end),
    (if __declares("ssh.host_keys") then __seen("ssh.host_keys")[] | {item: ., about: "an SSH host key (\(.type))", fact: "ssh.host_keys"} else empty end) );
def keys_given_away: __is_service("keys_given_away") | . as $o | [__shown_keys] | unique_by([.item.key_sha256, .about])[] | . as $key
  | ( (.item.known_key // empty | "whose private half others hold too: \(.where) (\(.source))"),
      (.item.key_flaws // [] | .[] | "that gives its private half away, \(.name): \(.why)") )
  | {what: "\($o | __place) shows \($key.about) \(.)", endpoint: $o.endpoint, expected: "a key that the device alone holds",
     observed: ($key.item.key_sha256 // $key.item.fingerprint), evidence: ($key.fact as $fact | $o | evidence($fact)), observation: $o.id};
def factors_not_compared: select(($__judge.moduli_left_out // 0) > 0)
  | {what: "\($__judge.moduli_left_out) RSA keys were compared with none for common factors: there are more, or longer ones, than are compared"};
def shared_factors: [ $__judge.specs | keys[] | obs(.) | . as $o | __shown_keys | select(.item.modulus != null)
    | {modulus: .item.modulus, sample: $o.sample, endpoint: $o.endpoint, id: $o.id, evidence: (.fact as $fact | $o | evidence($fact))} ] as $shown
  | ($__judge.common_factors // [])[] as $pair | [$shown[] | select(.modulus == $pair.one or .modulus == $pair.other)]
  | {what: "Two RSA keys have a factor of \($pair.bits) bits in common, and so both can be computed: sample \(__places)", endpoint: .[0].endpoint,
     expected: "primes of each key's own", observed: "a common factor of \($pair.bits) bits", evidence: ([.[].evidence[]] | unique),
     observation: ([.[].id] | unique)};
def __lone($with; $words): ([$__judge.dut.samples[].id] - $with) as $without
  | select(($with | length) > 0 and ($without | length) > 0 or ($with | length) == 1)
  | {what: ("\($words) seen on sample \($with | __and) only" + (if ($without | length) > 0 then ", not on \($without | __and)" else "" end)
      + ": nothing to compare")};
def lone_host_keys($alias): __lone([obs($alias).sample] | unique; "SSH host keys were");
def lone_certificate_keys($alias): __lone([__certificate_keys($alias)[].sample] | unique; "Certificates were");
def lone_tls($alias): __lone([obs($alias) | select(__tells("tls.spoken")).sample] | unique; "TLS servers were");
def __same_place($o): .endpoint == $o.endpoint and .address == $o.address and .sample == $o.sample and .state == $o.state;
def guess_endpoints: __is_service("guess_endpoints") | select(.endpoint | startswith("tcp/")) | select(observed("credentials.dialect")) | select(present("credentials.dialect"))
  | select((if observed("credentials.open") then fact("credentials.open"; false) else false end) | not) | .endpoint;
def __guessed: . as $service | select(fact("service.reachable")) | obs("resistance") | select(__same_place($service))
  | select(present("resistance.reaction")) | . as $o | fact("resistance.reaction") as $reaction
  | {o: $o, at: .endpoint, id: .id, evidence: evidence("resistance.reaction"), known: fact("resistance.account").known, r: $reaction,
     let_in: (.facts["resistance.let_in"].times // 0), paged: (.facts["resistance.let_in"] // {} | .by_page == true)};
def __least_guesses: $__judge.run.parameters.guessing.minimum_attempts // 100;
def __least_seconds: $__judge.run.parameters.guessing.minimum_seconds // 60;
def __enough_guesses: .r.after >= __least_guesses or (.r.after >= 20 and (.r.seconds // 0) >= __least_seconds);
def __few_guesses: "\(.at) took \(.r.after) wrong logins in \(.r.seconds // 0 | floor) s without a reaction, and it takes \(__least_guesses), or 20 and \(__least_seconds) s, to say that there is none: allow more (pace.guesses_per_login)";
def __held_in_words: "\(.sign) after \(.after) wrong logins, bound to \(.bound | gsub("_"; " "))";
def __let_in: . as $service | select(fact("service.reachable")) | obs("resistance") | select(__same_place($service)) | . as $o
  | .facts["resistance.let_in"] // empty | {at: $o.endpoint, id: $o.id, after, times, paged: (.by_page == true), evidence: ($o | evidence("resistance.let_in"))};
def __guess_let_in: __let_in | select(.times >= 2 and (.paged | not))
  | {what: "\(.at) let in wrong passwords after \(.after) logins", endpoint: .at, expected: "every wrong password refused",
     observed: "\(.times) wrong passwords got in", evidence, observation: .id};
def guess_unheld: __is_service("guess_unheld") | __guess_let_in, (__guessed | select(.known and (.r.seen | not) and .let_in < 2 and __enough_guesses)
  | {what: "\(.at) took \(.r.after) wrong logins of a real account one after another without any reaction", endpoint: .at,
     expected: "a delay, a lock or another limit after some wrong logins", observed: "none after \(.r.after) in \(.r.seconds // 0 | floor) s; at least \(__least_guesses) are asked for, or 20 and \(__least_seconds) s", evidence, observation: .id});
def __claims_hold: tostring | test("lock|block|delay|wait|slow|limit|ban|captcha|then "; "i") and (test("^\\s*(none|no|unlimited)\\b"; "i") | not);
def __claimed_number: [tostring | scan("[0-9]+(?![0-9])(?!\\s*(?:ms|s|sec|secs|second|seconds|m|min|minute|minutes|h|hour|hours|days?)\\b)") | tonumber] | .[0];
def guess_undeclared($ts): __is_service("guess_undeclared") | __guess_let_in, (__guessed | . as $g
  | __there($ts; "guess_undeclared") | . as $table | $__judge.ixit[$table][] | select(__names_port($g.at))
  | select((.attempts // "") != "") | . as $entry | (.attempts | __claimed_number) as $number | select(.attempts | __claims_hold)
  | "IXIT \($table) \($entry.id // "without id") says \"\($entry.attempts)\" of \($g.at)" as $says
  | if $g.known and ($g.r.seen | not) and ($g.paged | not) and (if $number == null then $g | __enough_guesses else $g.r.after > $number + 1 end) then "\($says), and \($g.r.after) wrong logins brought no reaction"
    elif $g.r.seen and $g.r.repeated and $number != null and $g.r.after > $number + 1 then "\($says), and the first reaction came after \($g.r.after) wrong logins"
    else empty end
  | {what: ., endpoint: $g.at, expected: ($entry.attempts | tostring), observed: (if $g.r.seen then $g.r | __held_in_words else "no reaction" end),
     evidence: $g.evidence, observation: $g.id});
def guess_doubts: __is_service("guess_doubts") | . as $service | select(fact("service.reachable"))
  | [obs("resistance") | select(__same_place($service))] as $measured
  | if present("service.protocol") | not then {what: "What listens on \(.endpoint) was not identified, so whether it takes logins is not known", evidence: evidence("service.reachable")}
    elif $measured == [] then select([login_endpoints] != []) | {what: "How the login on \(.endpoint) bears guessing was not measured"}
    else $measured[]
      | if present("resistance.dialect") | not then {what: "How the login on \(.endpoint) bears guessing cannot be measured automatically"}
        else ($service | __let_in | select(.times == 1 or .paged)
            | {what: (if .paged then "\(.at) gave wrong passwords after \(.after) logins what it gives the right one: it may tell of a lock so, or let anybody in"
                      else "\(.at) let in one wrong password after \(.after) logins, and no second one was seen to get in" end), evidence}),
          ($service | __guessed
          | if (.r.seen | not) and (.known | not) then
              {what: "\(.at) took \(.r.after) wrong logins of a name that it does not have without a reaction; what it does for an account that it has needs one in the DUT file (accounts)", evidence}
            elif (.r.seen | not) and (__enough_guesses | not) then {what: __few_guesses, evidence}
            elif .r.seen and (.r.repeated | not) then
              {what: "\(.at) reacted to wrong logins (\(.r | __held_in_words)), and that did not come a second time from a fresh start", evidence}
            else empty end)
        end
    end
  | . + {endpoint: $service.endpoint, observation: $service.id};
def __value_space: (if .preinstalled == true or .user_defined != true then [{l: .password_length, c: (.password_characters // {"1": 10, "2": 36, "3": 62, "4": 85}[.password_classes | tostring])}] else [] end)
  + (if .user_defined == true then [{l: .policy_length, c: .policy_characters}] else [] end)
  | if length == 0 or any(.[]; .l == null or .c == null) then null else [.[] | .l * (.c | log10)] | min end;
def __logins_a_day: if . < 10 then "less than 10" else "\(floor)" end;
def __days: if . > 1000000 then "more than a million days" else "\(floor) days" end;
def guess_sums($ts): __is_service("guess_sums") | . as $service | $__judge.run.parameters.guessing as $line | __guessed | . as $g
  | $g.o | select(present("resistance.rate")) | fact("resistance.rate") as $rate | evidence("resistance.rate") as $shown
  | ($g.o.facts["resistance.recovery"] // {seen: true} | .seen) as $ends
  | __there($ts; "guess_sums") | . as $table | $__judge.ixit[$table][] | select(__names_port($g.at)) | . as $entry
  | __value_space as $places | ($g.r.seen and $g.r.repeated and ($g.r.bound | IN("source", "source_or_all", "unknown"))) as $one_address
  | ($line.addresses // 65536) as $addresses
  | (if $rate.by_device | not then $line.margin // 1000 elif $one_address then $addresses else 1 end) as $more
  | {g: $g, table: $table, entry: $entry, places: $places, rate: $rate, evidence: $shown, least: $line.minimum_days,
     days: (if $places == null then null else pow(10; $places) / (2 * ([$rate.per_day_low, 1] | max)) end),
     sure: (if $places == null then null else pow(10; $places) / (2 * ([$rate.per_day_high, 1] | max) * $more) end), more: $more,
     chance: (if $places == null or ($one_address and ($ends | not) | not) then null else 100 * $addresses * ($g.r.after_most // $g.r.after) / pow(10; $places) end)};
def __unsure_rate: if .g.paged then "what wrong passwords got may tell of a lock" elif .g.known | not then "the account is none that the device has" elif (.g.r.seen | not) and (.g | __enough_guesses | not) then .g | __few_guesses else null end;
def __sure_rate: .rate.per_day_low > 0 and __unsure_rate == null;
def guess_too_fast($ts): __is_service("guess_too_fast") | __guess_let_in, (guess_sums($ts) | select(.places != null and .least != null) | select(__sure_rate and .days < .least)
  | {what: "\(.g.at) takes at least \(.rate.per_day_low | __logins_a_day) wrong logins a day (\(.rate.basis)), and half of the values of IXIT \(.table) \(.entry.id // "without id") are tried in \(.days | __days)",
     endpoint: .g.at, expected: "at least \(.least) days", observed: (.days | __days), evidence, observation: .g.id});
def guess_sum_doubts($ts): __is_service("guess_sum_doubts") | . as $service | select(fact("service.reachable"))
  | ($__judge.run.parameters.guessing.maximum_chance_percent) as $most | [guess_sums($ts)] as $sums
  | if $sums == [] then
      ( if $__judge.run.parameters.guessing.minimum_days == null then empty
        else __guessed | {what: "No entry of IXIT \($ts | __and) names \(.at), so the number of its values is not known", evidence} end ), guess_doubts
    else $sums[] | select(.least != null)
      | if .places == null then
          {what: "IXIT \(.table) \(.entry.id // "without id") does not say how many values there are (fields password_length with password_characters or password_classes; for what users set policy_length and policy_characters)"}
        elif (.sure >= .least) or (.chance != null and $most != null and .chance < $most) or (__sure_rate and .days < .least) then empty
        else __unsure_rate as $why | {what: "\(.g.at): by \(.rate.basis), half of the values take \(.sure | __days) if an attacker is \(.more) times as fast, and \(.least) days are asked for: an assessor has to decide\(if $why == null then "" else " (\($why))" end)", evidence}
        end
    end
  | . + {endpoint: $service.endpoint, observation: $service.id};
def guess_one_client: __is_service("guess_one_client") | __guessed | . as $g
  | if .r.seen and .r.repeated and .r.bound == "source" then {what: "\(.at) holds the address that guessed (\(.r | __held_in_words)), and takes the same account's wrong logins from another", expected: "held for every client"}
    elif .r.seen and .r.repeated and (.r.bound | IN("source_or_all", "unknown")) then {doubt: true, what: "Whether \(.at) holds other clients too was not seen: give the run other addresses of its own (lab.sources)"}
    else empty end
  | . + {endpoint: $g.at, observed: ($g.r | __held_in_words), evidence: $g.evidence, observation: $g.id};
def __samples: first(obs("uniqueness")) | select(fact("uniqueness.samples") > 0);
def sample_relations($kinds): __samples | . as $o | fact("uniqueness.relations")[] | select(.kind as $kind | $kinds | index($kind) != null)
  | {what: "Factory values \(.values | __few)\(if .mechanism == "" then "" else " of \(.mechanism)" end): \(.what)",
     expected: "nothing in common that chance does not make", observed: "\(.kind), by chance \(.chance)",
     evidence: ($o | evidence("uniqueness.relations")), observation: $o.id};
def sample_doubts($least): first(obs("uniqueness")) | fact("uniqueness.samples") as $given | select($given < $least)
  | {what: "The DUT file gives \($given) factory values of devices (password_samples), and \($least) are needed", observation: .id};
def sample_forms($rule): __samples | . as $o | fact("uniqueness.forms")[] | . as $form
  | (if .mechanism == "" then "" else " of \(.mechanism)" end) as $of
  | ( select($rule.minimum_length != null and .shortest < ($rule.minimum_length // 0)) | {what: "A factory value\($of) has \(.shortest) characters", expected: "at least \($rule.minimum_length)", observed: "\(.shortest)"} ),
    ( select($rule.minimum_classes != null and .fewest_classes < ($rule.minimum_classes // 0)) | {what: "A factory value\($of) has characters of \(.fewest_classes) class", expected: "at least \($rule.minimum_classes)", observed: "\(.fewest_classes)"} ),
    ( select($rule.equal_characters_in_a_row == false and .equal_in_a_row > 0) | {what: "\(.equal_in_a_row) of \(.samples) factory values\($of) have two equal characters in a row", expected: "none", observed: "\(.equal_in_a_row)"} ),
    ( select($rule.equal_to_login == false and .equal_to_login > 0) | {what: "\(.equal_to_login) of \(.samples) factory values\($of) are the login name", expected: "none", observed: "\(.equal_to_login)"} )
  | . + {evidence: ($o | evidence("uniqueness.forms")), observation: $o.id};
def now: __fault("now is shut");
def localtime: __fault("localtime is shut");
def strflocaltime(f): __fault("strflocaltime is shut");
def halt: __fault("halt is shut");
def halt_error: __fault("halt_error is shut");
def halt_error(c): __fault("halt_error is shut");
def debug: __fault("debug is shut");
def debug(m): __fault("debug is shut");
def stderr: __fault("stderr is shut");
def input: __fault("input is shut");
def inputs: __fault("inputs is shut");
def env: __fault("env is shut");
)jq";

}  // namespace assay::expr
