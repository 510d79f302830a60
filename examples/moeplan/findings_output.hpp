// Findings as text and as JSON.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/json_writer.hpp>
#include <moeplan/verify/check.hpp>

namespace tool {

using finding_list = std::vector<moeplan::finding>;

/// All of them, or those that a predicate on rules picks. Valid as long as `all`.
finding_list list_of(const moeplan::findings& all, bool (*wanted)(moeplan::rule) = nullptr);

/// Rules on degrees, the number of GPUs and the order of ranks; those on the model alone, its experts included.
bool is_about_world(moeplan::rule id);
bool is_about_model(moeplan::rule id);

bool has_errors(const finding_list& findings);

/// The sentence of a finding, with amounts of memory in GiB: "needs 100.51 GiB" of "needs 107919976448 bytes".
std::string message_of(const moeplan::finding& f);

/// By severity, each with its sentence, the nearest legal values and the source.
void print(std::ostream& out, const finding_list& findings);

/// "2 errors, 1 warning"; empty if there is nothing.
std::string summary(const finding_list& findings);

/// The members `ok` and `findings` of an object that has begun.
void write(moeplan::io::json_writer& json, const finding_list& findings);

/// What a command answers that needs what the findings deny: a text to `err`, with --json an object to `out` as well. `problem` says why
/// there is no answer where the findings alone do not.
void refuse(const finding_list& findings, bool json, std::ostream& out, std::ostream& err, const std::string& problem = {});

/// The core's text as a standard one.
template <class Text>
std::string string_of(const Text& text) {
  return std::string(text.data(), text.size());
}

} // namespace tool
