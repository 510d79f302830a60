#pragma once

/// @file
/// Load balance: how even loads are and can be, routing statistics, expert placement, and other things to divide evenly.

#include <moeplan/balance/auxiliary_loss.hpp>
#include <moeplan/balance/best_placement.hpp>
#include <moeplan/balance/capacity.hpp>
#include <moeplan/balance/division.hpp>
#include <moeplan/balance/entropy.hpp>
#include <moeplan/balance/eplb.hpp>
#include <moeplan/balance/expected_maximum.hpp>
#include <moeplan/balance/expert_popularity.hpp>
#include <moeplan/balance/gini.hpp>
#include <moeplan/balance/maximum_load.hpp>
#include <moeplan/balance/metrics.hpp>
#include <moeplan/balance/node_limited_routing.hpp>
#include <moeplan/balance/partition.hpp>
#include <moeplan/balance/placement.hpp>
#include <moeplan/balance/placement_bound.hpp>
#include <moeplan/balance/real_metrics.hpp>
#include <moeplan/balance/redundancy.hpp>
#include <moeplan/balance/routing_statistics.hpp>
#include <moeplan/balance/sequence_packing.hpp>
#include <moeplan/number/common_denominator.hpp>
