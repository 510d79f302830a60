#pragma once

/// @file
/// Audits of deployment reports: of every number in one, whether it holds. Its own umbrella, so that only who reads reports pays for it.

#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_audit.hpp>
#include <moeplan/verify/claim_deployment.hpp>
#include <moeplan/verify/claim_formula.hpp>
#include <moeplan/verify/claim_formulas.hpp>
#include <moeplan/verify/claim_reason.hpp>
#include <moeplan/verify/claim_verdict.hpp>
#include <moeplan/verify/printed_text.hpp>
#include <moeplan/verify/printed_value.hpp>
#include <moeplan/verify/printed_words.hpp>
