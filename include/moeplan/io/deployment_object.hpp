#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_reader.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>

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

  void read(const char* key, bytes& target, const char* source) {
    if (const auto member = keys_.find(key))
      target = bytes{member->non_negative()};
    else
      note_default(key, std::to_string(target.value()), source);
  }

  void read(const char* key, bool& target, const char* source) {
    if (const auto member = keys_.find(key))
      target = member->boolean();
    else
      note_default(key, target ? "true" : "false", source);
  }

  /// `meaning` is the default and what it means.
  void read(const char* key, ratio& target, const char* meaning, const char* source) {
    if (const auto member = keys_.find(key))
      target = member->ratio();
    else
      note_default(key, meaning, source);
  }

  /// A ratio that is at most 1.
  void read_share(const char* key, ratio& target, const char* meaning, const char* source) {
    read(key, target, meaning, source);
    if (target > ratio{1}) keys_.need(key).refuse("a number from 0 to 1", "a number out of range");
  }

  /// One of several names.
  template <class T, std::size_t N>
  void read(const char* key, T& target, const named<T> (&choices)[N], const char* source) {
    if (const auto member = keys_.find(key))
      target = member->choice(choices);
    else
      note_default(key, in_quotes(name_in(choices, target)), source);
  }

  /// An array of names, each of which stands for a member of the target that is true.
  template <class Set, std::size_t N>
  void read(const char* key, Set& target, const named<bool Set::*> (&choices)[N], const char* source) {
    const auto member = keys_.find(key);
    if (!member) {
      std::string all;
      for (const auto& choice : choices)
        if (target.*choice.value) all += (all.empty() ? "" : ", ") + in_quotes(choice.name);
      return note_default(key, '[' + all + ']', source);
    }
    std::vector<std::string> names;
    for (const auto& choice : choices) {
      names.emplace_back(choice.name);
      target.*choice.value = false;
    }
    for (const json_place& item : member->items("an array of any of " + listed(names))) {
      bool& chosen = target.*item.choice(choices);
      if (chosen) item.refuse("each name at most once", "given twice");
      chosen = true;
    }
  }

  /// An object within this one; where it is absent, an empty one, whose defaults then hold.
  [[nodiscard]] deployment_object part(const char* key, std::string what = "an object") {
    static const json_value empty = [] {
      json_value v;
      v.kind = json_kind::object;
      return v;
    }();
    const auto member = keys_.find(key);
    return {member ? *member : json_place{place(), key, empty}, *defaults_, std::move(what)};
  }

  void refuse_unknown_keys() const { keys_.refuse_unknown_keys(); }

private:
  json_object keys_;
  std::vector<default_in_force>* defaults_;
};

} // namespace moeplan::io
