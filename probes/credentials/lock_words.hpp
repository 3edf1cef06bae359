#pragma once

#include <span>
#include <string_view>

/// What devices say, in English and in any case, when they take no more logins for now.
namespace assay::probes::credentials {

/// The last two are words of many other texts too, and mean something only where refusals before did not have them.
inline constexpr std::string_view kLockWords[] = {"locked",  "lock out",    "lockout", "too many", "try again later",
                                                  "blocked", "temporarily", "banned",  "exceeded", "wait "};
inline constexpr std::span<const std::string_view> kPlainLockWords{kLockWords, std::size(kLockWords) - 2};

}  // namespace assay::probes::credentials
