#include "harness/model/observation.hpp"

namespace assay {

std::string Invocation::identity() const {
  json::object identity;
  identity["probe"] = probe;
  identity["target"] = to_json(target);
  identity["endpoint"] = to_json(endpoint);
  identity["parameters"] = parameters;
  return canonical(identity);
}

Completion completion_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::refused:
      return Completion::refused;
    case ErrorKind::unreachable:
      return Completion::unreachable;
    case ErrorKind::reset:
    case ErrorKind::closed:
    case ErrorKind::protocol:
      return Completion::reset;
    case ErrorKind::timed_out:
      return Completion::timed_out;
    case ErrorKind::cancelled:
      return Completion::cancelled;
    case ErrorKind::denied:
      return Completion::denied;
    case ErrorKind::bad_input:
    case ErrorKind::unsupported:
    case ErrorKind::io:
    case ErrorKind::internal:
      break;
  }
  return Completion::harness_fault;
}

}  // namespace assay
