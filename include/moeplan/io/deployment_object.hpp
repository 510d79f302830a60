#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_reader.hpp>
#include <moeplan/number/optional_integer.hpp>

/// @file
/// The objects of a deployment file: every member has a default, and whoever reads one learns which defaults are in force.

namespace moeplan::io {

/// A value that a deployment file does not give.
struct default_in_force {
  std::string key;    ///< JSON pointer to where it could be given
  std::string value;  ///< as it would be written there, or in words where it is derived
  std::string source; ///< who says so
};

/// Reads members into variables that hold their defaults. `source` says where the default comes from.
class deployment_object {
public:
  deployment_object(json_place place, std::vector<default_in_force>& defaults, std::string what = "an object")
      : keys_{std::move(place), std::move(what)}, defaults_{&defaults} {}

  [[nodiscard]] json_object& keys() noexcept { return keys_; }
  [[nodiscard]] const json_place& place() const noexcept { return keys_.place(); }

  void note_default(const char* key, std::string value, std::string source) {
    defaults_->push_back({place().pointer() + pointer_step(key), std::move(value), std::move(source)});
  }

  void read(const char* key, std::int64_t& target, const char* source) {
    if (const auto member = keys_.find(key))
      target = member->integer();
    else
      note_default(key, std::to_string(target), source);
  }

  /// `meaning` says what holds when the key is absent.
  void read(const char* key, optional_integer& target, const char* meaning, const char* source) {
    if (const auto member = keys_.find(key))
      target = member->integer();
    else
      note_default(key, meaning, source);
  }

  void read(const char* key, bool& target, const char* source) {
    if (const auto member = keys_.find(key))
      target = member->boolean();
    else
      note_default(key, target ? "true" : "false", source);
  }

  template <class T, std::size_t N>
  void read(const char* key, T& target, const named<T> (&choices)[N], const char* source) {
    if (const auto member = keys_.find(key))
      target = member->choice(choices);
    else
      note_default(key, std::string{'"'} + name_in(choices, target) + '"', source);
  }

  /// An object within this one; where it is absent, an empty one, whose defaults then hold.
  [[nodiscard]] deployment_object part(const char* key) {
    static const json_value empty = [] {
      json_value v;
      v.kind = json_kind::object;
      return v;
    }();
    const auto member = keys_.find(key);
    return {member ? *member : json_place{place(), key, empty}, *defaults_};
  }

  void refuse_unknown_keys() const { keys_.refuse_unknown_keys(); }

private:
  json_object keys_;
  std::vector<default_in_force>* defaults_;
};

} // namespace moeplan::io
