// An audit as text for people, and as a document in Markdown.
#pragma once

#include <ostream>
#include <string>

#include "audit_report.hpp"

namespace tool {

/// `all_reasons`: why of claims that hold, too.
void print_audit(std::ostream& out, const audit_report& report, bool all_reasons);

/// The same for a document.
void print_audit_as_markdown(std::ostream& out, const audit_report& report, bool all_reasons);

/// What a claim can be about, and what it is then computed from: a line for each way.
void print_quantities(std::ostream& out);

/// "< 64GB": what a report claims, with how it is meant where that is not equality.
std::string claimed_in_words(const moeplan::io::report_claim& c);

} // namespace tool
