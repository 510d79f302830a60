#pragma once

#include <string>
#include <vector>

#include <moeplan/describe/model.hpp>
#include <moeplan/io/hugging_face/all_sparse.hpp>
#include <moeplan/io/hugging_face/config.hpp>
#include <moeplan/io/hugging_face/deepseek.hpp>
#include <moeplan/io/hugging_face/first_dense.hpp>
#include <moeplan/io/hugging_face/llama.hpp>
#include <moeplan/io/hugging_face/qwen.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// Hugging Face's config.json as a model.
///
/// What a file does not say, its model_type decides: see the reader of each, in hugging_face/. Keys that no reader asks for are
/// ignored, a needed one that is missing is an error, and so is one that asks for parameters which `model` cannot describe: nothing
/// is miscounted silently.

namespace moeplan::io {

namespace detail {

/// Every model_type that can be read. Another one is one reader and one line here.
inline constexpr named<model (*)(hugging_face_config&)> model_types[] = {
    {"bailing_moe", read_bailing_moe},
    {"bailing_moe_v2", read_bailing_moe},
    {"dbrx", read_dbrx},
    {"deepseek_v2", read_deepseek_v2},
    {"deepseek_v3", read_deepseek_v3},
    {"deepseek_v32", read_deepseek_v32},
    {"ernie4_5_moe", read_ernie4_5_moe},
    {"glm4_moe", read_glm4_moe},
    {"gpt_oss", read_gpt_oss},
    {"grok-1", read_grok_1},
    {"kimi_k2", read_deepseek_v3},
    {"llama", read_llama},
    {"llama4", read_llama4},
    {"llama4_text", read_llama4_text},
    {"minimax_m2", read_minimax_m2},
    {"mistral", read_mistral},
    {"mixtral", read_mixtral},
    {"olmoe", read_olmoe},
    {"phimoe", read_phimoe},
    {"qwen2", read_qwen2},
    {"qwen2_moe", read_qwen2_moe},
    {"qwen3", read_qwen3},
    {"qwen3_moe", read_qwen3_moe},
    {"qwen3_next", read_qwen3_next},
};

} // namespace detail

/// Reads the contents of a config.json. Throws input_error. Numbers are taken as they stand: whether they make a model, `check`
/// judges.
[[nodiscard]] inline model read_hugging_face(const json_place& place) {
  detail::hugging_face_config config{place};
  const json_place type = config.keys().need("model_type");
  std::vector<std::string> known;
  for (const auto& candidate : detail::model_types) {
    if (type.string() == candidate.name) return candidate.value(config);
    known.emplace_back(candidate.name);
  }
  type.refuse_name(known, "a model_type that cannot be read");
}

/// Reads a config.json file. Throws input_error.
[[nodiscard]] inline model read_hugging_face(const std::string& path) {
  const json_document document = read_json(path);
  return read_hugging_face(json_place{document});
}

} // namespace moeplan::io
