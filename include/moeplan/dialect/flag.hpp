#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/layout.hpp>
#include <moeplan/dialect/framework.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>
#include <moeplan/text/text.hpp>

/// @file
/// A framework's flags as a table: one row a flag.

namespace moeplan::dialect {

/// How a flag's value is spelled.
enum class flag_kind : std::uint16_t {
  number,      ///< an integer
  toggle,      ///< no value: standing there, it sets the member to `sets`
  truth,       ///< true or false
  word,        ///< one of the row's choices
  words,       ///< any of the row's choices, one after the other
  decimal,     ///< a number from 0 with or without a point
  stages,      ///< Megatron-LM's layout string
  model,       ///< the model's name or path
  object,      ///< a JSON object, whose settings are rows of their own
  not_modelled ///< understood, and listed as having no meaning for a deployment
};

/// The member of a framework's words that a flag is about; the kind of the flag says which of these it is.
template <class Words>
union flag_member {
  optional_integer Words::*number = nullptr;
  bool Words::*toggle;
  text Words::*word;
  std::uint32_t Words::*words; ///< a bit for each choice, the first one the lowest
  ratio Words::*decimal;
  moeplan::layout Words::*stages;
};

/// One flag of a framework: its name, the member of the framework's own words that it is about, how it is spelled, and who says so.
/// A row is all that reading and writing need to know of a flag; what the words mean, the framework's header translates.
template <class Words>
struct flag {
  text name{};
  text other_names{}; ///< that are read too, with blanks between them
  flag_kind kind = flag_kind::not_modelled;
  flag_member<Words> member{};
  text choices{};       ///< of words, with blanks between them, empty: any; of an object, what the names of its settings begin with
  text source{};        ///< file or page of the framework that declares it
  bool sets = true;     ///< what a toggle sets
  bool repeats = false; ///< a word may stand several times, once for each layer
  bool is_written = true; ///< false: an older spelling of another row, only read

  [[nodiscard]] static constexpr flag an_integer(text name, optional_integer Words::*member, text source,
                                                 text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::number, .member = {.number = member}, .source = source};
  }
  [[nodiscard]] static constexpr flag a_switch(text name, bool Words::*member, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::toggle, .member = {.toggle = member}, .source = source};
  }
  /// A flag that turns off what another one, or the framework by itself, turns on.
  [[nodiscard]] static constexpr flag a_switch_off(text name, bool Words::*member, text source, text others = {}) noexcept {
    return {.name = name,
            .other_names = others,
            .kind = flag_kind::toggle,
            .member = {.toggle = member},
            .source = source,
            .sets = false};
  }
  [[nodiscard]] static constexpr flag a_truth(text name, bool Words::*member, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::truth, .member = {.toggle = member}, .source = source};
  }
  [[nodiscard]] static constexpr flag a_word(text name, text Words::*member, text choices, text source, text others = {}) noexcept {
    return {.name = name,
            .other_names = others,
            .kind = flag_kind::word,
            .member = {.word = member},
            .choices = choices,
            .source = source};
  }
  [[nodiscard]] static constexpr flag some_words(text name, std::uint32_t Words::*member, text choices, text source) noexcept {
    return {
        .name = name, .kind = flag_kind::words, .member = {.words = member}, .choices = choices, .source = source, .repeats = true};
  }
  [[nodiscard]] static constexpr flag a_decimal(text name, ratio Words::*member, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::decimal, .member = {.decimal = member}, .source = source};
  }
  [[nodiscard]] static constexpr flag a_layout(text name, moeplan::layout Words::*member, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::stages, .member = {.stages = member}, .source = source};
  }
  [[nodiscard]] static constexpr flag the_model(text name, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::model, .source = source};
  }
  [[nodiscard]] static constexpr flag an_object(text name, text prefix, text source, text others = {}) noexcept {
    return {.name = name, .other_names = others, .kind = flag_kind::object, .choices = prefix, .source = source};
  }

  /// The same row for a flag of older releases, which is read and never written.
  [[nodiscard]] constexpr flag only_read() const noexcept {
    flag old = *this;
    old.is_written = false;
    return old;
  }

  /// The same row for a flag that takes a list.
  [[nodiscard]] constexpr flag for_each_layer() const noexcept {
    flag list = *this;
    list.repeats = true;
    return list;
  }
};

/// All that can stand in a framework's launch line. Names within a text are separated by blanks.
template <class Words, std::size_t Count>
struct grammar {
  moeplan::dialect::framework framework{};
  const flag<Words> (&flags)[Count];
  text not_modelled_switches{}; ///< flags without a value that say nothing about a deployment
  text not_modelled{};          ///< such flags with one value
  text not_modelled_lists{};    ///< such flags with any number of values
  text programs{};              ///< words that start the program; so does every word that ends with .py
  bool model_is_a_word = false; ///< the model stands in the line without a flag
  bool underscores_are_dashes = false;
};

} // namespace moeplan::dialect
