#pragma once

#include <string>

#include "probes/credentials/web_session.hpp"

/// What a login of a programming interface is made of, for whoever goes on from there.
namespace assay::probes::credentials {

/// The login that a recipe describes, with the token of its answer concealed before the transcript gets it.
WebRequest recipe_request(Door& door, const LoginRecipe& recipe, const std::string& username, const Secret& password);

/// The token in an answer, empty when there is none.
std::string token_of(const std::string& body, const std::string& pointer);

/// The session carries the token from now on: in a header, or in a cookie that a script of the page would set.
void carry_token(WebSession& session, const LoginRecipe& recipe, const std::string& token);

}  // namespace assay::probes::credentials
