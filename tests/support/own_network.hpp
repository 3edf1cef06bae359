#pragma once

namespace assay {

/// Whether this test program runs in a network namespace of its own, with nothing but a loopback: then no port is open,
/// silent or busy there but by the test itself. Entered before the first test; false where this machine refuses it.
bool in_network_of_our_own();

}  // namespace assay
