#pragma once

#include <moeplan/search/fit_gpus.hpp>
#include <moeplan/search/fit_micro_batch.hpp>
#include <moeplan/search/fit_recompute.hpp>
#include <moeplan/search/fit_sequence.hpp>
#include <moeplan/search/fit_trial.hpp>

/// @file
/// The questions behind "does it fit?": which micro-batch, which sequence length, how many GPUs and how much recomputation do.
