#pragma once

/// @file
/// The whole core: no Boost, no JSON, nothing heavy of the standard library.

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/require.hpp>
#include <moeplan/verify/resolve.hpp>
