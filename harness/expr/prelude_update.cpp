#include "harness/expr/prelude.hpp"

namespace assay::expr {

// Findings and doubts on what the probe update saw.
const std::string_view kUpdatePrelude = R"jq(
def __update_how: if .alive == false then null
  elif .installed == true and .attack != "same-version" and (.image.genuine != true or (.against | IN("transport", "metadata", "access")))
    then "it was installed: \(.version_before) before, \(.version_after) after"
  elif .against == "transport" and .fetched.downloads > 0 then "the image was fetched over \(.fetched.over // "it"), \(.fetched.bytes) bytes"
  elif .attack == "endless" and .held then "it was taken without end, \(.fetched.bytes) bytes"
  elif .attack == "same-version" and .restarted and .fetched.whole then "it was fetched whole, and the device started anew"
  else null end;
def update_taken(f): obs("update") | . as $o | fact("update.attempts")[] | select(f) | __update_how as $how | select($how != null)
  | {what: "\(.title), on \(.mechanism): \($how)", expected: "refused", observed: $how,
     evidence: ([.evidence | strings] + ($o | evidence("update.attempts")) | unique), observation: $o.id};
def __update_open: if .alive == false then "the device did not come back"
  elif .offered != true then "it could not be offered (\(.trouble // "no reason was given"))"
  elif .seen != true then "the device did not come for it, so nothing was refused"
  elif .installed == null then "whether it was installed was not seen\(if .trouble == null then "" else " (\(.trouble))" end)"
  elif .installed == false and .says_success then "the device says that it took it, and the version stayed (\(.reported // "no words"))"
  elif .held then "the device was still waiting when it was ended after \(.took_ms) ms" else null end;
def update_doubts(f): obs("update") | . as $o
  | ( (fact("update.control")[] | select(.accepted != true)
       | {what: "The genuine update was not seen to be installed by \(.mechanism) each time\(if .why == null then "" else " (\(.why))" end): refusals prove nothing"}),
      (fact("update.bricked")[]
       | {what: "The device did not come back after \(.after) on \(.mechanism)\(if .restored then "; its recipe brought it back" else ", and nothing brought it back" end)"}),
      (fact("update.attempts")[] | select(f) | select(__update_how == null) | __update_open as $why | select($why != null)
       | {what: "\(.title), on \(.mechanism): \($why)", evidence: [.evidence | strings]}),
      (fact("update.not_tried")[] | select(f) | {what: "\(.title), on \(.mechanism): not tried, for \(.why)"}) )
  | . + {observation: $o.id};
def update_mechanisms_taken(f): obs("update") | . as $o | [fact("update.mechanisms")[] | .mechanism] as $all
  | [update_taken(f)] as $taken
  | select(all($all[]; . as $one | any($o | fact("update.attempts")[]; .mechanism == $one and f and __update_how != null)))
  | $taken[];
)jq";

}  // namespace assay::expr
