#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/json_writer.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// Writes a description, such as training, as object_reader reads it.

namespace moeplan::io {

/// Goes through the members of a T and writes those that are not as by default.
template <class T>
class object_writer {
public:
  object_writer(json_writer& json, const T& value) : json_{&json}, value_{&value} {}

  template <class Member, class... About>
  void member(const char* key, Member T::*which, const About&... about) {
    if (differs(which)) write(key, value_->*which, about...);
  }

  /// Also where it is as by default.
  template <class Member, class... About>
  void stated(const char* key, Member T::*which, const About&... about) {
    write(key, value_->*which, about...);
  }

  void share(const char* key, ratio T::*which, const char* meaning, const char* source) { member(key, which, meaning, source); }

  /// In one line.
  template <class Part>
  void part(const char* key, Part T::*which, const char* what);

  /// By its name where it has one.
  template <class Part, std::size_t N>
  void part(const char* key, Part T::*which, const char* what, const named<Part> (&sets)[N]);

private:
  template <class Member>
  [[nodiscard]] bool differs(Member T::*which) const {
    const T by_default{};
    return !(value_->*which == by_default.*which);
  }

  void write(const char* key, std::int64_t n, const char* /*source*/) { json_->member(key, n); }
  void write(const char* key, bytes b, const char* /*source*/) { json_->member(key, b.value()); }
  void write(const char* key, bool b, const char* /*source*/) { json_->member(key, b); }
  void write(const char* key, optional_integer n, const char* /*meaning*/, const char* /*source*/) {
    if (n.given) json_->member(key, n.number);
  }
  void write(const char* key, ratio r, const char* /*meaning*/, const char* /*source*/) {
    json_->member(key, json_integer{decimal(r)});
  }
  template <class Enum, std::size_t N>
  void write(const char* key, Enum value, const named<Enum> (&names)[N], const char* /*source*/) {
    json_->member(key, name_in(names, value));
  }
  template <class Set, std::size_t N>
  void write(const char* key, const Set& set, const named<bool Set::*> (&names)[N], const char* /*source*/) {
    json_->key(key).begin_array(json_lines::one);
    for (const auto& n : names)
      if (set.*n.value) json_->value(n.name);
    json_->end_array();
  }

  /// With a point. Precondition: the ratio has at most 18 places, as every one that was read from a file or a flag.
  [[nodiscard]] static std::string decimal(ratio r) {
    std::string digits = std::to_string(r.numerator.value() / r.denominator.value());
    std::uint64_t rest = r.numerator.value() % r.denominator.value();
    if (rest != 0) digits += '.';
    for (int places = 0; rest != 0 && places < 18; ++places) {
      digits += static_cast<char>('0' + rest * 10 / r.denominator.value());
      rest = rest * 10 % r.denominator.value();
    }
    return digits;
  }

  json_writer* json_;
  const T* value_;
};

/// Writes an object with the members that are not as by default.
template <class T>
void write_object(json_writer& json, const T& value, json_lines lines = json_lines::many) {
  json.begin_object(lines);
  object_writer<T> writer{json, value};
  list_members(writer);
  json.end_object();
}

template <class T>
template <class Part>
void object_writer<T>::part(const char* key, Part T::*which, const char* /*what*/) {
  if (!differs(which)) return;
  json_->key(key);
  write_object(*json_, value_->*which, json_lines::one);
}

template <class T>
template <class Part, std::size_t N>
void object_writer<T>::part(const char* key, Part T::*which, const char* what, const named<Part> (&sets)[N]) {
  if (!differs(which)) return;
  for (const named<Part>& set : sets)
    if (set.value == value_->*which) {
      json_->member(key, set.name);
      return;
    }
  part(key, which, what);
}

} // namespace moeplan::io
