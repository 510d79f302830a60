#pragma once

/// @file
/// The whole core: no Boost, no JSON, nothing heavy of the standard library.

#include <moeplan/catalog/dbrx.hpp>
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/ernie.hpp>
#include <moeplan/catalog/glm.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/grok.hpp>
#include <moeplan/catalog/kimi.hpp>
#include <moeplan/catalog/ling.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/minimax.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/olmoe.hpp>
#include <moeplan/catalog/phi.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/memory/memory.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/require.hpp>
#include <moeplan/verify/resolve.hpp>
