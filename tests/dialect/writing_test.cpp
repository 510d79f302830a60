#include <moeplan/dialect/writing.hpp>

#include "framework_of_a_test.hpp"
#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;
using namespace moeplan_test;

namespace {

struct sections_of_a_test {
  using row = flag<words_of_a_test>;
  using words = words_of_a_test;
  static constexpr row rows[] = {
      row::an_integer("size", &words::size, "here"),     row::a_truth("a.truth", &words::truth, "here"),
      row::an_integer("a.size", &words::size, "here"),   row::a_word("b.choice", &words::choice, "", "here"),
      row::an_integer("b.c.size", &words::size, "here"), row::an_integer("b.d.e.size", &words::size, "here"),
      row::an_integer("length", &words::size, "here"),
  };
};

struct deep_sections_of_a_test {
  static constexpr flag<words_of_a_test> rows[] = {flag<words_of_a_test>::an_integer("b.d.e.size", &words_of_a_test::size, "here")};
};

inline constexpr grammar<words_of_a_test, 1> deep_objects{.framework = framework::deepspeed,
                                                          .flags = deep_sections_of_a_test::rows};
inline constexpr grammar<words_of_a_test, 7> objects{.framework = framework::deepspeed, .flags = sections_of_a_test::rows};

} // namespace

BOTH_TIMES("what is as by default is not written", [] {
  writing out;
  write_flags(out, grammar_of_a_test, words_of_a_test{});
  EXPECT(text{out.flags}.empty());
  EXPECT(out.complete());
});

BOTH_TIMES("every kind of value in the order of the table", [] {
  words_of_a_test w{.size = 3, .on = true, .off = false, .truth = true, .choice = "left", .factor = {5, 4}};
  w.stages = parse_megatron_layout("Et|ttL").value;
  writing out;
  write_flags(out, grammar_of_a_test, w);
  EXPECT(text{out.flags} == "--size 3 --on --no-off --truth true --choice left --factor 1.25 --stages 'Et|t*2L' mode:left");
});

BOTH_TIMES("several words stand side by side", [] {
  writing out;
  write_flags(out, grammar_of_a_test, words_of_a_test{.some = 5});
  EXPECT(text{out.flags} == "--some first third");
});

BOTH_TIMES("what a shell would take apart stands in quotation marks", [] {
  writing out;
  write_flags(out, grammar_of_a_test, words_of_a_test{.choice = "a b"});
  EXPECT(text{out.flags} == "--choice 'a b' mode:'a b'");
});

BOTH_TIMES("JSON: neighbours of one section in one object", [] {
  writing out;
  write_flags(out, objects, words_of_a_test{.size = 3, .truth = true, .choice = "left"}, flag_style::json);
  EXPECT(text{out.flags} == R"({"size": 3, "a": {"truth": true, "size": 3}, "b": {"choice": "left", "c": {"size": 3}, )"
                            R"("d": {"e": {"size": 3}}}, "length": 3})");
  writing ends_deep;
  write_flags(ends_deep, deep_objects, words_of_a_test{.size = 3}, flag_style::json);
  EXPECT(text{ends_deep.flags} == R"({"b": {"d": {"e": {"size": 3}}}})");
  writing empty;
  write_flags(empty, objects, words_of_a_test{}, flag_style::json);
  EXPECT(text{empty.flags} == "{}");
});

BOTH_TIMES("sentences name member and value", [] {
  writing out;
  out.cannot("cp", 2, "because");
  out.cannot("order", "pp-tp", "because").append('!');
  EXPECT(!out.complete());
  EXPECT(text{out.cannot_express[0]} == "cp 2: because");
  EXPECT(text{out.cannot_express[1]} == "order pp-tp: because!");
});

BOTH_TIMES("decimal numbers are exact or not written", [] {
  text_buffer<64> out;
  EXPECT(dialect::detail::append_decimal(out, ratio{3, 2}));
  EXPECT(text{out} == "1.5");
  EXPECT(dialect::detail::append_decimal(out, ratio{2}));
  EXPECT(text{out} == "1.52");
  EXPECT(!dialect::detail::append_decimal(out, ratio{1, 3}));
  EXPECT(text{out} == "1.52");
});
