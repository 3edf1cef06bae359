#pragma once

#include "probes/wire/http.hpp"

/// What an answer of an interface of data says to whoever asked, told by its outline: the names of its members. Some
/// interfaces answer everything with status 200 and say in JSON alone that a login is missing.
namespace assay::probes::credentials {

/// A status by which something is given.
bool is_given(const wire::HttpResponse& response);

/// An object or a list of JSON.
bool is_data(const wire::HttpResponse& response);

/// The two answers have the same status, and as JSON the same members.
bool same_outline(const wire::HttpResponse& one, const wire::HttpResponse& other);

/// An error that nothing stands beside.
bool is_error(const wire::HttpResponse& answer);

/// Somebody is told to log in, or that he may not: by the status, or by an error that nothing stands beside. `inside`
/// is what one gets who is logged in; where that is an error itself, no error keeps anybody out. Another answer is
/// none: it may hold what others should not see. Nor is that to one who came too often, or at a time when the page
/// failed.
bool is_kept_out(const wire::HttpResponse& outside, const wire::HttpResponse& inside);

/// Whoever is inside gets another answer than `outside`, and it is no error.
bool looks_otherwise(const wire::HttpResponse& outside, const wire::HttpResponse& inside);

}  // namespace assay::probes::credentials
