#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <moeplan/io/json_tokens.hpp>
#include <moeplan/io/json_value.hpp>

/// @file
/// Reads JSON text (RFC 8259) strictly: no comments, no trailing commas, no key twice.

namespace moeplan::io {

/// Objects and arrays within each other. Nothing that this library reads needs more than a handful.
inline constexpr std::size_t deepest_json = 200;

/// The largest file that is read, in bytes. Nothing that this library reads comes near it.
inline constexpr std::size_t largest_json_file = std::size_t{1} << 26;

/// A text's value and the name that messages call the text by.
struct json_document {
  std::string file;
  json_value root;
};

namespace detail {

/// Builds json_value from the events of nlohmann's SAX parser, and says better than its exceptions what is wrong with a text.
class json_builder {
public:
  json_builder(std::string_view text, const std::string& file) : tokens_{text}, file_{file} {}

  [[nodiscard]] json_value take() { return std::move(root_); }

  // The events. Each returns whether to go on; none ever stops, since what is wrong is thrown.
  bool null() { return literal(json_kind::null, 4); }
  bool boolean(bool value) {
    literal(json_kind::boolean, value ? 4 : 5);
    last_value().boolean = value;
    return true;
  }
  bool number_integer(std::int64_t value) { return number(json_kind::integer, value); }
  bool number_unsigned(std::uint64_t value) {
    const bool fits = value >> 63 == 0;
    return number(fits ? json_kind::integer : json_kind::large_integer, fits ? static_cast<std::int64_t>(value) : 0);
  }
  // An integer of more than 64 bits comes as a float too; its literal tells.
  bool number_float(double /*rounded*/, const std::string& literal) {
    const bool integer = literal.find_first_of(".eE") == std::string::npos;
    return number(integer ? json_kind::large_integer : json_kind::decimal, 0);
  }
  bool string(const std::string& value) {
    json_value v = begin_value(json_kind::string);
    v.text = value;
    tokens_.skip_string();
    return add(std::move(v));
  }
  bool binary(const std::vector<std::uint8_t>& /*not in JSON text*/) { return true; }
  bool start_object(std::size_t /*unknown*/) { return open(json_kind::object); }
  bool start_array(std::size_t /*unknown*/) { return open(json_kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(const std::string& name);

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const std::exception& reason) {
    refuse_syntax(reason.what());
  }

private:
  enum class event : std::uint16_t { nothing, opened, named, valued };

  struct level {
    json_value container;
    std::unordered_set<std::string> keys; ///< of an object
    std::string key;                      ///< that waits for its value
    text_place key_place{};
  };

  [[noreturn]] void refuse(text_place place, std::string problem, std::string found, std::string expected) const {
    throw input_error{
        {.file = file_, .place = place, .problem = std::move(problem), .found = std::move(found), .expected = std::move(expected)}};
  }

  json_value begin_value(json_kind kind) {
    json_value v;
    v.kind = kind;
    v.place = tokens_.begin();
    return v;
  }

  bool literal(json_kind kind, std::size_t length) {
    json_value v = begin_value(kind);
    tokens_.skip(length);
    return add(std::move(v));
  }

  bool number(json_kind kind, std::int64_t value) {
    json_value v = begin_value(kind);
    v.integer = value;
    v.text = std::string{tokens_.skip_number()};
    return add(std::move(v));
  }

  bool open(json_kind kind) {
    level l;
    l.container = begin_value(kind);
    if (levels_.size() == deepest_json)
      refuse(l.container.place, "nested too deeply", "level " + std::to_string(deepest_json + 1),
             "at most " + std::to_string(deepest_json) + " objects and arrays within each other");
    tokens_.skip(1);
    levels_.push_back(std::move(l));
    last_ = event::opened;
    return true;
  }

  bool close() {
    tokens_.begin();
    tokens_.skip(1);
    json_value done = std::move(levels_.back().container);
    levels_.pop_back();
    return add(std::move(done));
  }

  bool add(json_value value) {
    last_ = event::valued;
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (level& top = levels_.back(); top.container.kind == json_kind::array) {
      top.container.items.push_back(std::move(value));
    } else {
      top.container.members.push_back({std::move(top.key), top.key_place, std::move(value)});
    }
    return true;
  }

  json_value& last_value() {
    if (levels_.empty()) return root_;
    json_value& container = levels_.back().container;
    return container.kind == json_kind::array ? container.items.back() : container.members.back().value;
  }

  /// "the '{' of line 3, column 15": the innermost bracket that is open.
  [[nodiscard]] std::string opening() const {
    const json_value& container = levels_.back().container;
    return std::string{"the '"} + (container.kind == json_kind::array ? '[' : '{') + "' of line " +
           std::to_string(container.place.line) + ", column " + std::to_string(container.place.column);
  }

  [[nodiscard]] std::string closing() const {
    return std::string{"'"} + (levels_.back().container.kind == json_kind::array ? ']' : '}') + "' to close " + opening();
  }

  [[nodiscard]] std::string expected_next();
  [[noreturn]] void refuse_syntax(const std::string& reason);

  json_tokens tokens_;
  const std::string& file_;
  std::vector<level> levels_;
  json_value root_;
  event last_ = event::nothing;
};

inline bool json_builder::key(const std::string& name) {
  level& top = levels_.back();
  top.key = name;
  top.key_place = tokens_.begin();
  if (!top.keys.insert(name).second) {
    for (const json_member& member : top.container.members) {
      if (member.key != name) continue;
      refuse(top.key_place, "duplicate key " + in_quotes(name), {},
             "each key once; it stands first on line " + std::to_string(member.place.line) + ", column " +
                 std::to_string(member.place.column));
    }
  }
  tokens_.skip_string();
  last_ = event::named;
  return true;
}

/// Passes over what is right and says what had to follow.
inline std::string json_builder::expected_next() {
  tokens_.skip_blanks();
  if (last_ == event::nothing) return "a value";
  if (last_ == event::named) return tokens_.skip_separator(':') ? "a value after ':'" : "':' after the key";
  if (levels_.empty()) return "the end of the text";
  const bool comma = last_ == event::valued && tokens_.skip_separator(',');
  const bool in_array = levels_.back().container.kind == json_kind::array;
  if (comma) return in_array ? "a value after ','" : "a key in quotation marks after ','";
  if (last_ == event::valued) return "',' or " + closing();
  return (in_array ? "a value or " : "a key in quotation marks or ") + closing();
}

inline void json_builder::refuse_syntax(const std::string& reason) {
  const std::string expected = expected_next();
  if (tokens_.at_end()) refuse(tokens_.place(), "syntax error", "the end of the text", expected);
  const std::string_view word = tokens_.word();
  const std::string found = word.front() == '"' ? shortened(word) : "'" + shortened(word) + "'";
  if (reason.find("number overflow") != std::string::npos) refuse(tokens_.place(), "a number out of range", found, expected);
  // What is wrong within a token stands in the parser's message as "... - REASON; last read: ...".
  const std::size_t end = reason.find("; last read:");
  const std::size_t start = reason.rfind(" - ", end);
  if (end == std::string::npos || start == std::string::npos) refuse(tokens_.place(), "syntax error", found, expected);
  refuse(tokens_.place(), "syntax error, " + reason.substr(start + 3, end - start - 3), found, expected);
}

} // namespace detail

/// Reads a whole text; `file` is what messages call it. Throws input_error.
[[nodiscard]] inline json_document parse_json(std::string_view text, std::string file) {
  json_document document{.file = std::move(file), .root = {}};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw input_error{{.file = document.file, .problem = "the text is empty", .expected = "a JSON value"}};
  detail::json_builder builder{text, document.file};
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  document.root = builder.take();
  return document;
}

/// Reads a file. Throws input_error, also where there is no file or none that can be read.
[[nodiscard]] inline json_document read_json(const std::string& path) {
  const auto refuse = [&](std::string problem) {
    throw input_error{{.file = path, .problem = std::move(problem), .expected = "a JSON file"}};
  };
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse("no such file");
  if (std::filesystem::is_directory(status)) refuse("this is a directory");
  std::ifstream stream{path, std::ios::binary};
  if (!stream) refuse("the file cannot be opened");
  std::string text;
  char part[1 << 14];
  while (stream.read(part, sizeof part) || stream.gcount() != 0) {
    text.append(part, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > largest_json_file) refuse("the file is larger than " + std::to_string(largest_json_file) + " bytes");
  }
  if (stream.bad()) refuse("the file cannot be read");
  return parse_json(text, path);
}

} // namespace moeplan::io
