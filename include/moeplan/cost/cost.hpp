#pragma once

/// @file
/// What a step costs: FLOPs by component, every collective with its bytes, and which part of these crosses nodes.

#include <moeplan/cost/collective.hpp>
#include <moeplan/cost/collective_time.hpp>
#include <moeplan/cost/deployment_cost.hpp>
#include <moeplan/cost/model_flops.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/traffic.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/cost/utilisation.hpp>
