// Objects of a deployment file, each by itself.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <moeplan/io/object_reader.hpp>
#include <moeplan/io/object_writer.hpp>

namespace moeplan_test {

template <class T>
struct object_read {
  T value{};
  std::vector<moeplan::io::default_in_force> defaults;
};

template <class T>
object_read<T> read_text(const std::string& text) {
  const moeplan::io::json_document document = moeplan::io::parse_json(text, "t.json");
  object_read<T> result;
  result.value = moeplan::io::read_object<T>({moeplan::io::json_place{document}, result.defaults});
  return result;
}

/// What the reader says of a text that it refuses; "no error" if nothing.
template <class T>
std::string error_of(const std::string& text) {
  try {
    (void)read_text<T>(text);
  } catch (const moeplan::io::input_error& error) { return error.what(); }
  return "no error";
}

template <class T>
std::string written(const T& value) {
  std::ostringstream out;
  moeplan::io::json_writer json{out};
  moeplan::io::write_object(json, value, moeplan::io::json_lines::one);
  return out.str();
}

template <class T>
T read_again(const T& value) {
  return read_text<T>(written(value)).value;
}

/// "KEY VALUE" for each default in force.
template <class T>
std::vector<std::string> defaults_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const moeplan::io::default_in_force& d : read_text<T>(text).defaults) lines.push_back(d.key + ' ' + d.value);
  return lines;
}

} // namespace moeplan_test
