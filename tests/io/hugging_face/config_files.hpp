// Published configurations, as they are and with one key changed.
#pragma once

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <moeplan/io/hugging_face.hpp>

namespace moeplan_test {

inline std::string path_of(const std::string& name) { return MOEPLAN_TEST_DATA "/models/" + name + ".json"; }

inline moeplan::model read_file(const std::string& name) { return moeplan::io::read_hugging_face(path_of(name)); }

inline moeplan::model read_text(const std::string& text) {
  const moeplan::io::json_document document = moeplan::io::parse_json(text, "config.json");
  return moeplan::io::read_hugging_face(moeplan::io::json_place{document});
}

inline std::string error_of(const std::string& text) {
  try {
    static_cast<void>(read_text(text));
  } catch (const moeplan::io::input_error& error) { return error.what(); }
  return "no error";
}

inline nlohmann::json config(const std::string& name) {
  std::ifstream file{path_of(name)};
  return nlohmann::json::parse(file);
}

/// `key` may be a JSON pointer: "/text_config/head_dim".
template <class T>
std::string with(const std::string& name, const std::string& key, T value) {
  nlohmann::json changed = config(name);
  changed[nlohmann::json::json_pointer{key.front() == '/' ? key : '/' + key}] = value;
  return changed.dump();
}

inline std::string without(const std::string& name, const std::string& key) {
  nlohmann::json changed = config(name);
  changed.erase(key);
  return changed.dump();
}

inline bool mentions(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

} // namespace moeplan_test
