// As much of JSON Schema (draft 2020-12) as our schemas use. A keyword that it does not know fails a test, so that none is ignored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <moeplan/io/json_document.hpp>
#include <moeplan/io/json_value.hpp>

namespace moeplan_test {

/// Whether a part of the text is what the regular expression (of ECMAScript) describes. Compiled once, since regular expressions take long.
[[nodiscard]] bool contains_match(const std::string& text, const std::string& pattern);

class schema_validator {
public:
  /// Valid as long as the document.
  explicit schema_validator(const moeplan::io::json_document& schema) : root_{&schema.root} {}

  [[nodiscard]] bool accepts(const moeplan::io::json_value& v) const { return accepts(*root_, v); }

  /// The schema that a "$ref" stands for, or the schema itself.
  [[nodiscard]] const moeplan::io::json_value& resolved(const moeplan::io::json_value& schema) const {
    const moeplan::io::json_value* reference = schema.find("$ref");
    if (reference == nullptr) return schema;
    constexpr std::string_view place = "#/$defs/";
    const moeplan::io::json_value* definitions = root_->find("$defs");
    if (reference->text.rfind(place, 0) == 0 && definitions != nullptr)
      if (const auto* definition = definitions->find(std::string_view{reference->text}.substr(place.size()))) return *definition;
    throw std::runtime_error{"no such definition: " + reference->text};
  }

  /// What a schema of an object, or the first of its alternatives that allows the key, says of the key; a null pointer if it is unknown.
  [[nodiscard]] const moeplan::io::json_value* property(const moeplan::io::json_value& schema, std::string_view key) const {
    const moeplan::io::json_value& here = resolved(schema);
    if (const auto* properties = here.find("properties"))
      if (const auto* found = properties->find(key); found != nullptr && found->kind != kind::boolean) return found;
    const auto* alternatives = here.find("oneOf");
    if (alternatives == nullptr) return nullptr;
    for (const moeplan::io::json_value& alternative : alternatives->items)
      if (const auto* found = property(alternative, key)) return found;
    return nullptr;
  }

private:
  using kind = moeplan::io::json_kind;
  using value = moeplan::io::json_value;

  [[nodiscard]] bool accepts(const value& schema, const value& v) const {
    if (schema.kind == kind::boolean) return schema.boolean;
    return std::all_of(schema.members.begin(), schema.members.end(),
                       [&](const auto& keyword) { return satisfies(schema, keyword.key, keyword.value, v); });
  }

  [[nodiscard]] bool satisfies(const value& schema, const std::string& keyword, const value& rule, const value& v) const {
    if (keyword == "$ref") return accepts(resolved(schema), v);
    if (keyword == "type") return is_of_type(rule.text, v);
    if (keyword == "const") return same(rule, v);
    if (keyword == "enum") return count(rule, [&](const value& one) { return same(one, v); }) == 1;
    if (keyword == "minimum") return !is_number(v) || !below(v, rule);
    if (keyword == "maximum") return !is_number(v) || !below(rule, v);
    if (keyword == "pattern") return v.kind != kind::string || contains_match(v.text, rule.text);
    if (keyword == "oneOf") return count(rule, [&](const value& one) { return accepts(one, v); }) == 1;
    if (keyword == "anyOf") return count(rule, [&](const value& one) { return accepts(one, v); }) > 0;
    if (keyword == "not") return !accepts(rule, v);
    if (keyword == "items") return v.kind != kind::array || count(v, [&](const value& item) { return !accepts(rule, item); }) == 0;
    if (keyword == "minItems") return v.kind != kind::array || static_cast<std::int64_t>(v.items.size()) >= rule.integer;
    if (keyword == "maxItems") return v.kind != kind::array || static_cast<std::int64_t>(v.items.size()) <= rule.integer;
    if (keyword == "uniqueItems") return !rule.boolean || v.kind != kind::array || are_unique(v);
    if (is_about_objects(keyword)) return v.kind != kind::object || satisfies_object(schema, keyword, rule, v);
    if (says_nothing(keyword)) return true;
    throw std::runtime_error{"a keyword that this validator does not know: " + keyword};
  }

  [[nodiscard]] static bool is_about_objects(const std::string& keyword) {
    return keyword == "required" || keyword == "properties" || keyword == "additionalProperties" || keyword == "dependentRequired";
  }
  [[nodiscard]] static bool says_nothing(const std::string& keyword) {
    return keyword == "$schema" || keyword == "$id" || keyword == "$defs" || keyword == "title" || keyword == "description" ||
           keyword == "default";
  }

  [[nodiscard]] bool satisfies_object(const value& schema, const std::string& keyword, const value& rule, const value& v) const {
    if (keyword == "required") return has_all(v, rule);
    if (keyword == "dependentRequired")
      return std::all_of(rule.members.begin(), rule.members.end(),
                         [&](const auto& need) { return v.find(need.key) == nullptr || has_all(v, need.value); });
    const value* known = schema.find("properties");
    return std::all_of(v.members.begin(), v.members.end(), [&](const auto& member) {
      const value* property_schema = known == nullptr ? nullptr : known->find(member.key);
      if (keyword == "properties") return property_schema == nullptr || accepts(*property_schema, member.value);
      return property_schema != nullptr || accepts(rule, member.value);
    });
  }

  [[nodiscard]] static bool has_all(const value& v, const value& keys) {
    return count(keys, [&](const value& key) { return v.find(key.text) == nullptr; }) == 0;
  }

  /// Of scalars.
  [[nodiscard]] static bool are_unique(const value& array) {
    return count(array,
                 [&](const value& one) { return count(array, [&](const value& other) { return same(one, other); }) != 1; }) == 0;
  }

  template <class Predicate>
  [[nodiscard]] static std::ptrdiff_t count(const value& array, Predicate predicate) {
    return std::count_if(array.items.begin(), array.items.end(), predicate);
  }

  [[nodiscard]] static bool is_number(const value& v) {
    return v.kind == kind::integer || v.kind == kind::large_integer || v.kind == kind::decimal;
  }

  [[nodiscard]] static bool is_of_type(const std::string& type, const value& v) {
    switch (v.kind) {
      case kind::null: return type == "null";
      case kind::boolean: return type == "boolean";
      case kind::integer:
      case kind::large_integer: return type == "integer" || type == "number";
      case kind::decimal: return type == "number"; // 2.0 too, which the readers take for no integer.
      case kind::string: return type == "string";
      case kind::array: return type == "array";
      case kind::object: break;
    }
    return type == "object";
  }

  /// Of numbers, exact enough for bounds that are integers.
  [[nodiscard]] static bool below(const value& a, const value& b) {
    if (a.kind == kind::integer && b.kind == kind::integer) return a.integer < b.integer;
    return std::stold(a.text) < std::stold(b.text);
  }

  /// Of scalars.
  [[nodiscard]] static bool same(const value& a, const value& b) {
    return a.kind == b.kind && a.text == b.text && a.integer == b.integer && a.boolean == b.boolean;
  }

  const value* root_;
};

} // namespace moeplan_test
