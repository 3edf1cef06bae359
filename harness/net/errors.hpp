#pragma once

#include <string_view>

#include <boost/system/error_code.hpp>

#include "harness/model/result.hpp"

namespace assay {

/// What an errno means for an observation. `doing` is the operation in words: "connect to tcp/80".
Error error_from_errno(int number, std::string_view doing);

/// The same for Asio's codes; `eof` becomes `closed`, `operation_aborted` becomes `cancelled`.
Error error_from_code(const boost::system::error_code& code, std::string_view doing);

Error cancelled_error();
Error timed_out_error(std::string_view doing);

}  // namespace assay
