#pragma once

#include <string>
#include <string_view>

/// What a device says to a server of Mender (its device API, versions 1 and 2). All that comes back is escaped and
/// short, but the key; what is no JSON, or is not where it ought to be, is empty.
namespace assay::wire {

/// Of a request for a token (authentication/auth_requests): what the device is known by, as it says it.
std::string mender_identity(std::string_view body);

/// … and the public key that it names there, as it is; empty: none of at most 8 KiB.
std::string mender_key(std::string_view body);

/// What a device runs and is, as it asks for its next deployment.
struct MenderDevice {
  std::string artifact;  // name of what is installed
  std::string type;
};

/// From the body of version 2 of the API …
MenderDevice mender_device(std::string_view body);

/// … and from the target of version 1, whose query says the same.
MenderDevice mender_device_of_query(std::string_view target);

/// How a deployment goes, in the words of the interface: downloading, installing, rebooting, success, failure,
/// already-installed; with what the device says beside it.
struct MenderStatus {
  std::string status;
  std::string substate;
};

MenderStatus mender_status(std::string_view body);

/// The last messages of a deployment's log that are errors, else the last ones.
std::string mender_log(std::string_view body);

}  // namespace assay::wire
