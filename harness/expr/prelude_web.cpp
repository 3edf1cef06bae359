#include "harness/expr/prelude.hpp"

namespace assay::expr {

// Findings and doubts on what the probes web_session, password_change and first_use saw.
const std::string_view kWebPrelude = R"jq(
def web_declared: ($__judge.dut.web // [])[];
def password_places: web_declared, ($__judge.dut.messages // [])[];
def web_endpoints: __is_service("web_endpoints") | .endpoint as $endpoint
  | (if observed("service.logins") then fact("service.logins"; []) else [] end) as $logins
  | select(($endpoint | startswith("tcp/")) and (((($__judge.dut.logins // []) + ($__judge.dut.web // [])) | index($endpoint)) != null
      or any($logins[]; .dialect | startswith("http-")))) | $endpoint;
def __if_known($k): if observed($k) then fact($k; null) else null end;
def __told($k; $what; $expected; $observed): {what: "\(.endpoint) \($what)", endpoint: .endpoint, expected: $expected, observed: ($observed | tostring), evidence: evidence($k), observation: .id};
def __web: . as $service | select(fact("service.reachable")) | obs("web") | select(__same_place($service));
def __idle_minutes: $__judge.run.parameters.session.idle_minutes // null;
def web_session_flaws: __is_service("web_session_flaws") | __web | . as $o
  | ( (__if_known("web.fixation") // {}) | select(.kept == true or .takes_invented == true) | (if .takes_invented == true then "an id that nobody gave is taken" else "the visitor's id is kept" end) as $seen
      | $o | __told("web.fixation"; "has the same session id before and after a login"; "a new id for each session"; $seen) ),
    ( (__if_known("web.tokens") // {}) as $t | ($t.relations // [])[] | select(.kind != "identifier" or .length >= $t.shortest) | . as $r
      | $o | __told("web.tokens"; "gives session ids that can be foreseen: \($r.what)"; "ids of chance"; "\($r.kind) in \($t.sample) ids") ),
    ( (__if_known("web.tokens") // {}) | select(.bits_at_most != null and .bits_at_most < 32) | .bits_at_most as $bits
      | $o | __told("web.tokens"; "gives session ids of \($bits | floor) bits at most"; "ids that nobody can try out"; "\($bits | floor) bits") ),
    ( (__if_known("web.logout") // {}) | select(.ended == false and (.declared == true or .browser_out == true)) | .way as $way
      | $o | __told("web.logout"; "still takes a session that was logged out by \($way)"; "the session ends on the device"; "the protected page") ),
    ( __idle_minutes as $minutes | (__if_known("web.idle") // {}) | select($minutes != null and .alive_after != null and .alive_after >= 60 * $minutes) | .alive_after as $alive
      | $o | __told("web.idle"; "still takes a session that was idle for \($alive) s"; "refused after \($minutes) minutes at most"; "the protected page") ),
    ( (__if_known("web.forgery") // {}) | select(.missing == true) | $o | __told("web.forgery"; "obeys a request without the token of its form"; "refused"; "the setting was changed") ),
    ( (__if_known("web.forgery") // {}) | select(.other_session == true) | $o | __told("web.forgery"; "obeys a request with the token of another session"; "refused"; "the setting was changed") ),
    ( (__if_known("web.forgery") // {}) | select(.foreign_page == true and .foreign_browser == true) | .foreign_by as $by
      | $o | __told("web.forgery"; "obeys a request as a page of another site can send it"; "a token that only its own pages know"; "the setting was changed by \($by)") );
def web_session_doubts: __is_service("web_session_doubts") | . as $service | select(fact("service.reachable")) | select([web_endpoints] != [])
  | [obs("web") | select(__same_place($service))] as $seen
  | if $seen == [] then {what: "The sessions of \(.endpoint) were not looked at", endpoint: .endpoint, observation: .id} else $seen[] end
  | if has("what") then . else . as $o
    | ( (__if_known("web.logout") // {}) | select(.ended == false and .declared == false and .browser_out == false) | .way as $way
        | $o | __told("web.logout"; "did not end the session by \($way), which may not be the way out (web: log_out)"; "the session ends"; "the protected page") ),
      ( (__if_known("web.forgery") // {}) | select(.foreign_page == true and .foreign_browser != true)
        | $o | __told("web.forgery"; "leaves it to the browser (SameSite) to keep pages of other sites from changing settings"; "a token that only its own pages know"; "no token") ),
      ( (__if_known("web.cookies") // [])[] | select(.session and (.http_only | not)) | .name as $name
        | $o | __told("web.cookies"; "lets scripts read the session cookie \($name)"; "HttpOnly"; "no HttpOnly") ),
      ( __idle_minutes as $minutes | (__if_known("web.idle") // {}) | select($minutes != null and .ended == false and .alive_after < 60 * $minutes) | .alive_after as $alive
        | $o | __told("web.idle"; "was left alone for \($alive) s only"; "\($minutes) minutes"; "the session was still alive") ),
      ( (fact("web.fixation"; null), fact("web.tokens"; null), fact("web.logout"; null), fact("web.idle"; null), fact("web.forgery"; null)) | empty )
    end;
def __password_means: select(.kind | IN("password", "pin"));
def __other_means: select((.kind | IN("password", "pin")) | not);
def __means_at($endpoint): [ixit("1-AuthMech") | select(__names_port($endpoint))];
def by_other_means: __is_service("by_other_means") | select(.endpoint as $e | __means_at($e) as $all | ($all | length) > 0 and [$all[] | __other_means] == $all);
def other_means_doubts: __is_service("other_means_doubts") | select(fact("service.reachable")) | select([web_endpoints] != []) | .endpoint as $e | __means_at($e) as $all
  | [$all[] | __other_means] as $other
  | if $all == [] then {what: "No entry of 1-AuthMech says how one gets in at \($e)", endpoint: $e, observation: .id}
    elif $other != [] and ($other | length) < ($all | length)
    then {what: "\($e) takes a password and \([$other[].kind] | unique | join(", ")): by which of them its session was opened is not told", endpoint: $e, observation: .id}
    else empty end;
def __any_elsewhere(means): [ixit("1-AuthMech") | means | [__ports] | select(. == [] or any(.[]; . as $port | ((($__judge.dut.logins // []) + ($__judge.dut.web // [])) | index($port)) == null))] != [];
def other_means_elsewhere: __any_elsewhere(__other_means);
def passwords_elsewhere: __any_elsewhere(__password_means);
def __page_words: {form: "a page with a function", data: "a call", text: "a page"}[.kind];
def web_open_flaws: __is_service("web_open_flaws") | __web | . as $o
  | ( (__if_known("web.open") // [])[] | select(.shell == true | not) | select(.declared or (.kind == "form" and (.linked | not))) | . as $p
      | $o | __told("web.open"; "gives \($p.path) to visitors who have not logged in"; "a login"; $p | __page_words) ),
    ( (__if_known("web.crossed") // [])[] | select(.declared) | . as $p
      | $o | __told("web.crossed"; "gives \($p.path) to the role \($p.role), which may not see it"; "only the roles of the DUT file"; $p | __page_words) ),
    ( (__if_known("web.forgery") // {}) | select(.no_session == true) | $o | __told("web.forgery"; "changes a setting for everybody"; "a login"; "the setting was changed without a session") );
def web_open_calls($words): web_open_flaws | select(.what | test(" /[^ ]*(" + $words + ")"; "i"));
def web_open_data: web_open_flaws | select(.observed == "a call");
def web_open_doubts: __is_service("web_open_doubts") | . as $service | select(fact("service.reachable")) | select([web_endpoints] != [])
  | [obs("web") | select(__same_place($service))] as $seen
  | if $seen == [] then {what: "The pages of \(.endpoint) were not asked for", endpoint: .endpoint, observation: .id} else $seen[] end
  | if has("what") then . else . as $o
    | ( (__if_known("web.open") // [])[] | select((.declared and .shell == true) or ((.declared | not) and (.kind == "data" or (.kind == "form" and (.linked or .shell == true)) or (.kind != "form" and (.linked | not))))) | . as $p
        | $o | __told("web.open"; "gives \($p.path) to visitors too: is it meant for them?"; "only what is meant for everybody"; $p | __page_words) ),
      ( (__if_known("web.crossed") // [])[] | select(.declared | not) | . as $p
        | $o | __told("web.crossed"; "gives \($p.path) of the role \($p.owner) to the role \($p.role), which no link leads there: may it see it?"; "only what is meant for the role"; $p | __page_words) ),
      ( (__if_known("web.pages") // {}) | select(.whole == false or .unclear > 0) | (.unclear_at // []) as $at | (if $at == [] then "some" else $at | join(", ") end) as $which
        | $o | __told("web.pages"; "has pages that were not asked for to the end, or answered otherwise"; "all pages"; $which) ),
      ( (fact("web.open"; null), fact("web.crossed"; null)) | empty )
    end;
def password_old_lives: obs("changes") | . as $o | (__if_known("password.change") // {}) | select(.taken == true and .old_refused == false)
  | $o | __told("password.change"; "takes the old password after it was changed"; "only the new one"; "both are taken");
def password_session_lives: obs("changes") | . as $o | (__if_known("password.sessions") // {}) | select(.other == true)
  | $o | __told("password.sessions"; "goes on with a session that was opened with the old password"; "sessions of the old password end"; "the protected page");
def password_unasked: obs("changes") | . as $o | (__if_known("password.old_asked") // {}) | select(.wrong_taken == true or .empty_taken == true)
  | (if .wrong_taken == true then "a wrong" else "no" end) as $with
  | $o | __told("password.old_asked"; "changes the password with \($with) old one"; "the right old password is asked for"; "the new password was taken");
def __of_these_schemes: .schemes == null or any(.schemes[]; IN(($__judge.run.schemes // [])[]));
def __weak($k): . as $o | (__if_known($k) // [])[] | select(.taken == true and (.confidence | IN("sourced", "derived")) and __of_these_schemes) | . as $w
  | $o | __told($k; "takes a password that is weak (\($w.kind), \($w.length) characters)"; "refused: \($w.source)"; "a login with it succeeds");
def password_weak: (obs("changes") | __weak("password.weak"));
def first_use_weak: (obs("first") | __weak("first_use.weak"));
def first_use_open: obs("first") | . as $o | (__if_known("first_use.action") // {}) | select(.before == true)
  | $o | __told("first_use.action"; "changes a setting before the device is set up"; "nothing works before the user has set a password"; "the setting was changed without a login");
)jq";

}  // namespace assay::expr
