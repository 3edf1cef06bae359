#pragma once

#include <string>

#include "probes/credentials/web_session.hpp"

/// What a login of a programming interface is made of, for whoever goes on from there.
namespace assay::probes::credentials {

/// The login that a recipe describes, with the token of its answer concealed before the transcript gets it.
WebRequest recipe_request(Door& door, const LoginRecipe& recipe, const std::string& username, const Secret& password);

/// The token in an answer, empty when there is none.
std::string token_of(const std::string& body, const std::string& pointer);

/// The header that carries a token.
wire::HttpHeader token_header(const LoginRecipe& recipe, const std::string& token);

/// A visitor is told to log in, or gets another answer than the one inside. Not one who came too often, or at a time
/// when the page failed.
bool is_kept_out(const wire::HttpResponse& outside, const wire::HttpResponse& inside);

/// The two answers have the same status, and as JSON the same members.
bool same_outline(const wire::HttpResponse& one, const wire::HttpResponse& other);

}  // namespace assay::probes::credentials
