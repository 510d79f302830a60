#pragma once

#include <moeplan/search/best_strategies.hpp>
#include <moeplan/search/best_strategy.hpp>
#include <moeplan/search/measured_strategies.hpp>
#include <moeplan/search/network_traffic.hpp>
#include <moeplan/search/rank_orders.hpp>
#include <moeplan/search/ranking.hpp>
#include <moeplan/search/search_candidate.hpp>
#include <moeplan/search/search_counts.hpp>
#include <moeplan/search/search_space.hpp>
#include <moeplan/search/strategy_search.hpp>

/// @file
/// Which strategies there are: every legal one of a search space, the best by a ranking, and the Pareto front.
