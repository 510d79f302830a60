// A framework of nobody's, with a flag of every kind: what is read of it is written of it.
#pragma once

#include <moeplan/dialect/flag.hpp>

namespace moeplan_test {

struct words_of_a_test {
  moeplan::optional_integer size{};
  bool on = false, off = true, truth = false;
  moeplan::text choice{};
  std::uint32_t some = 1;
  moeplan::ratio factor{0};
  moeplan::layout stages{};
};

struct table_of_a_test {
  using row = moeplan::dialect::flag<words_of_a_test>;
  using words = words_of_a_test;
  static constexpr row rows[] = {
      row::an_integer("--old-size", &words::size, "here").only_read(),
      row::an_integer("--size", &words::size, "here", "-s --length"),
      row::a_switch("--on", &words::on, "here"),
      row::a_switch_off("--no-off", &words::off, "here"),
      row::a_truth("--truth", &words::truth, "here"),
      row::a_word("--choice", &words::choice, "left right", "here").for_each_layer(),
      row::a_decimal("--factor", &words::factor, "here"),
      row::a_layout("--stages", &words::stages, "here"),
      row::the_model("--model", "here"),
      row::an_object("--object", "--object.", "here"),
      row::an_integer("--object.size", &words::size, "here").only_read(),
      row::a_word("mode:", &words::choice, "left right", "here"),
      row::some_words("--some", &words::some, "first second third", "here"),
  };
};

inline constexpr moeplan::dialect::grammar<words_of_a_test, 13> grammar_of_a_test{.framework = moeplan::dialect::framework::vllm,
                                                                                  .flags = table_of_a_test::rows,
                                                                                  .not_modelled_switches = "--quiet",
                                                                                  .not_modelled = "--seed --object.seed",
                                                                                  .not_modelled_lists = "--many",
                                                                                  .programs = "serve",
                                                                                  .model_is_a_word = true,
                                                                                  .underscores_are_dashes = true};

} // namespace moeplan_test
