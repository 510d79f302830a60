#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/deployment_object.hpp>

/// @file
/// Reads a description, such as training, from an object of a deployment file. list_members() says, for each description in a header of
/// its own, what its members are called there; object_writer goes through the same list, so that what is read is written too.

namespace moeplan::io {

/// Goes through the members of a T and reads them.
template <class T>
class object_reader {
public:
  explicit object_reader(deployment_object object) : object_{std::move(object)} {}

  /// Any member. `about` is what deployment_object::read asks for with its type: names of values, what a default means, who says so.
  template <class Member, class... About>
  void member(const char* key, Member T::*which, const About&... about) {
    object_.read(key, value_.*which, about...);
  }

  /// A member that a writer always writes.
  template <class Member, class... About>
  void stated(const char* key, Member T::*which, const About&... about) {
    member(key, which, about...);
  }

  /// A ratio that is at most 1.
  void share(const char* key, ratio T::*which, const char* meaning, const char* source) {
    object_.read_share(key, value_.*which, meaning, source);
  }

  /// A description within this one. `what` says what is expected: "an object with ...".
  template <class Part>
  void part(const char* key, Part T::*which, const char* what);

  /// The same, for which a name may stand that says all of it.
  template <class Part, std::size_t N>
  void part(const char* key, Part T::*which, const char* what, const named<Part> (&sets)[N]);

  /// What has been read. To be called after every member: an unknown key is an error.
  [[nodiscard]] const T& value() const {
    object_.refuse_unknown_keys();
    return value_;
  }

private:
  deployment_object object_;
  T value_{};
};

/// Reads all members.
template <class T>
[[nodiscard]] T read_object(deployment_object object) {
  object_reader<T> reader{std::move(object)};
  list_members(reader);
  return reader.value();
}

template <class T>
template <class Part>
void object_reader<T>::part(const char* key, Part T::*which, const char* what) {
  value_.*which = read_object<Part>(object_.part(key, what));
}

template <class T>
template <class Part, std::size_t N>
void object_reader<T>::part(const char* key, Part T::*which, const char* what, const named<Part> (&sets)[N]) {
  const auto given = object_.keys().find(key);
  if (given && given->is(json_kind::string)) {
    value_.*which = given->choice(sets);
    return;
  }
  std::vector<std::string> names;
  for (const named<Part>& set : sets) names.emplace_back(set.name);
  value_.*which = read_object<Part>(object_.part(key, "one of " + listed(names) + ", or " + what));
}

} // namespace moeplan::io
