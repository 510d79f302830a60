#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

/// @file
/// Input that cannot be used: what stood where, and what was expected.

namespace moeplan::io {

/// A place in a text; lines and columns count from 1, columns in characters (not bytes). Line 0: nowhere in particular.
struct text_place {
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(const text_place&, const text_place&) noexcept = default;
};

/// What is wrong with an input. Whatever is not known stays empty.
struct input_problem {
  std::string file{};     ///< name of the file, or of whatever else the input came from
  text_place place{};     ///< where in it
  std::string key{};      ///< path of the key as a JSON pointer (RFC 6901): /strategy/tp
  std::string problem{};  ///< what is wrong, where "found ..., expected ..." alone does not say it
  std::string found{};    ///< what stood there
  std::string expected{}; ///< what could have stood there
  std::string nearest{};  ///< the nearest known name
};

/// Thrown by every reader of this folder for input that cannot be used. (Input that can be understood and is wrong, such as EP 0, is
/// no such error: `check` judges it.)
class input_error : public std::exception {
public:
  explicit input_error(input_problem problem) : problem_{std::move(problem)}, message_{compose(problem_)} {}

  [[nodiscard]] const input_problem& problem() const noexcept { return problem_; }

  /// The whole message on one line: `FILE:LINE:COLUMN: /KEY: PROBLEM: found FOUND, expected EXPECTED; nearest known: "NAME"`.
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

private:
  [[nodiscard]] static std::string compose(const input_problem& p) {
    std::string message = p.file;
    if (p.place.line != 0) message += ':' + std::to_string(p.place.line) + ':' + std::to_string(p.place.column);
    const auto add = [&message](const std::string& part, const char* separator) {
      if (part.empty()) return;
      if (!message.empty()) message += separator;
      message += part;
    };
    add(p.key, ": ");
    add(p.problem, ": ");
    if (!p.found.empty()) add("found " + p.found, ": ");
    if (!p.expected.empty()) add("expected " + p.expected, p.found.empty() ? ": " : ", ");
    if (!p.nearest.empty()) add("nearest known: \"" + p.nearest + '"', "; ");
    return message;
  }

  input_problem problem_;
  std::string message_;
};

} // namespace moeplan::io
