// Whether a deployment file has a key for every member of a description.
#pragma once

#include <cstddef>

#include <moeplan/io/serving_object.hpp>
#include <moeplan/io/training_object.hpp>

namespace moeplan_test {

/// Counts what list_members() lists.
template <class T>
struct member_counter {
  std::size_t count = 0;

  template <class Member, class... About>
  void member(const char* /*key*/, Member T::* /*which*/, const About&... /*about*/) {
    ++count;
  }
  template <class... Any>
  void stated(const Any&... any) {
    member(any...);
  }
  template <class... Any>
  void share(const Any&... any) {
    member(any...);
  }
  template <class... Any>
  void part(const Any&... any) {
    member(any...);
  }
};

template <class T>
std::size_t listed_members() {
  member_counter<T> counter;
  moeplan::io::list_members(counter);
  return counter.count;
}

struct anything {
  template <class T>
  operator T() const; // only ever looked at
};

/// How many members an aggregate has: as many values as it can be made of.
template <class T, class... Anything>
constexpr std::size_t members_of() {
  if constexpr (requires { T{Anything{}..., anything{}}; })
    return members_of<T, Anything..., anything>();
  else
    return sizeof...(Anything);
}

} // namespace moeplan_test
