#include "audit_text.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <moeplan/io/report_groups.hpp>
#include <moeplan/verify/claim_formulas.hpp>
#include <moeplan/verify/printed_words.hpp>

#include "findings_output.hpp"
#include "repair_text.hpp"
#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// Fit for one line: what would begin another, or steer a terminal, becomes a blank.
std::string on_one_line(std::string words) {
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return words;
}

/// "7" or "9, 58".
std::string lines_of(const io::report_claim& c) {
  std::string all;
  for (const std::int64_t line : c.lines) all += (all.empty() ? "" : ", ") + std::to_string(line);
  return all;
}

/// The first one.
std::string line_of(const io::report_claim& c) { return c.lines.empty() ? "" : std::to_string(c.lines.front()); }

std::string verb(std::size_t n, claim_outcome outcome) {
  if (outcome == claim_outcome::holds) return n == 1 ? "holds" : "hold";
  if (outcome == claim_outcome::fails) return n == 1 ? "fails" : "fail";
  return n == 1 ? "is undecided" : "are undecided";
}

/// "23 claims: 11 hold, 5 fail, 7 are undecided".
std::string summary_of(const audit_report& report) {
  std::string words = counted(static_cast<std::int64_t>(report.verdicts.size()), "claim");
  const char* separator = ": ";
  for (const claim_outcome outcome : {claim_outcome::holds, claim_outcome::fails, claim_outcome::undecided}) {
    const std::size_t n = report.number_of(outcome);
    if (n != 0) words += separator + std::to_string(n) + ' ' + verb(n, outcome);
    if (n != 0) separator = ", ";
  }
  return words;
}

/// "parameters 30B, layers 16, gpus 128".
std::string numbers_in_words(const claim_inputs& numbers) {
  std::string all;
  for (const claim_inputs::item& i : numbers.items) {
    text_buffer<96> value;
    append_printed(value, i.value);
    std::string name = string_of(name_of(i.name));
    std::replace(name.begin(), name.end(), '_', ' ');
    all += (all.empty() ? "" : ", ") + name + ' ' + string_of(value);
  }
  return all;
}

/// "TP 8, PP 4, EP 64, DP 4": what is given.
std::string degrees_in_words(const strategy& s) {
  std::string all;
  for (const axis a : {axis::tp, axis::pp, axis::vpp, axis::cp, axis::ep, axis::etp, axis::dp, axis::sp})
    if (s.gives(a)) all += (all.empty() ? "" : ", ") + io::detail::in_capitals(name_of(a)) + ' ' + grouped(s[a]);
  return all.empty() ? "no degrees" : all;
}

/// "8,192 GPUs, of which there are 128".
std::string gpus_in_words(const facts& f) {
  if (!f.knows(known::degrees | known::no_overflow)) return "no number of GPUs";
  std::string words = counted(f.gpus, "GPU");
  if (f.knows(known::cluster))
    words += f.gpus > f.available ? ", of which there are " + grouped(f.available) : " of " + grouped(f.available);
  return words;
}

/// What a mapping makes wrong, and that GPUs stay idle, each with what would be right.
std::vector<std::string> complaints(const findings& found) {
  std::vector<std::string> all;
  for (const finding& f : list_of(found)) {
    if (f.level() != severity::error && f.id() != rule::no_gpu_is_idle) continue;
    text_buffer<128> legal;
    append_legal(legal, f);
    all.push_back(message_of(f) + string_of(legal));
  }
  return all;
}

/// "EP 64 to 32, micro-batch 32 to 8; DP 4 to 16 follows".
std::string repair_in_words(const repair_entry& e) {
  std::string words = e.changes.empty() ? "no change" : in_words(e.changes);
  if (!e.derived.empty()) words += "; " + in_words(e.derived) + (e.derived.size() == 1 ? " follows" : " follow");
  return words;
}

/// Sizes of the deployment that a rule could be about.
std::string open_sizes(const claim_inputs& given) {
  std::string all;
  for (const claim_input name : {claim_input::layers, claim_input::experts, claim_input::hidden_size, claim_input::heads,
                                 claim_input::expert_intermediate_size, claim_input::sequence_length}) {
    if (given.gives(name)) continue;
    std::string words = string_of(name_of(name));
    std::replace(words.begin(), words.end(), '_', ' ');
    all += (all.empty() ? "" : ", ") + words;
  }
  return all;
}

std::string assumption_in_words(const claim_inputs& given) {
  const std::string open = open_sizes(given);
  const std::string about_memory = "Memory is not judged.";
  return open.empty() ? about_memory
                      : "Not given: " + open + ". They are taken to suit the degrees that the report gives. " + about_memory;
}

/// Writes the parts of an audit: a text has underlined headings and indented lines, Markdown its own marks.
class audit_writer {
public:
  audit_writer(std::ostream& out, bool markdown) : out_{out}, markdown_{markdown} {}

  void title(const std::string& words) { markdown_ ? block("# " + escaped(words)) : paragraph(words); }

  void heading(const std::string& words) {
    if (markdown_) return block("## " + escaped(words));
    out_ << '\n';
    paragraph(words);
    paragraph(std::string(words.size(), '-'));
  }

  void paragraph(const std::string& words) { markdown_ ? block(escaped(words)) : void(out_ << wrapped(words, terminal_width())); }

  /// Of a list, at a depth from 0.
  void item(const std::string& words, std::size_t depth) {
    const std::size_t indent = 2 * depth + (markdown_ ? 0 : 2);
    out_ << std::string(indent, ' ')
         << (markdown_ ? "- " + escaped(words) + '\n' : wrapped(words, terminal_width() - indent, indent + 2));
    after_blank_line_ = false;
  }

  void table(const std::vector<std::vector<std::string>>& rows, const std::string& alignment) {
    if (!markdown_) {
      text_table t{alignment};
      for (const auto& cells : rows) t.row(cells);
      return t.print(out_);
    }
    after_blank_line_ = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const std::string& cell : rows[i]) out_ << "| " << escaped(cell) << ' ';
      out_ << "|\n";
      if (i != 0) continue;
      for (const char c : alignment) out_ << (c == 'r' ? "|---:" : "|---");
      out_ << "|\n";
    }
  }

private:
  /// Of Markdown, between blank lines.
  void block(const std::string& words) {
    out_ << (after_blank_line_ ? "" : "\n") << words << "\n\n";
    after_blank_line_ = true;
  }

  /// What Markdown would take for its own.
  static std::string escaped(const std::string& words) {
    std::string result;
    for (const char c : words) {
      if (c == '|' || c == '<' || c == '>' || c == '*' || c == '_' || c == '`' || c == '~' || c == '[' || c == ']') result += '\\';
      result += c;
    }
    return result;
  }

  std::ostream& out_;
  bool markdown_;
  bool after_blank_line_ = true;
};

std::vector<std::vector<std::string>> table_of(const audit_report& report) {
  std::vector<std::vector<std::string>> rows{{"line", "claim", "claimed", "computed", "verdict"}};
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const io::report_claim& c = report.file.claims[i];
    const io::report_verdict& v = report.verdicts[i];
    rows.push_back(
        {line_of(c), on_one_line(c.id), claimed_in_words(c), v.computed.empty() ? "-" : v.computed, string_of(name_of(v.outcome))});
  }
  return rows;
}

void write_reasons(audit_writer& writer, const audit_report& report, claim_outcome outcome, const std::string& heading) {
  if (report.number_of(outcome) == 0) return;
  writer.heading(heading);
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const io::report_claim& c = report.file.claims[i];
    const io::report_verdict& v = report.verdicts[i];
    if (v.outcome != outcome) continue;
    std::string words = on_one_line(c.id);
    if (!c.lines.empty()) words += (c.lines.size() == 1 ? ", line " : ", lines ") + lines_of(c);
    if (!c.words.empty()) words += ": \"" + on_one_line(c.words) + '"';
    writer.item(words, 0);
    writer.item(on_one_line(v.because), 1);
  }
}

void write_mapping(audit_writer& writer, const char* name, const findings& found) {
  writer.item(name + gpus_in_words(found.facts), 1);
  for (const std::string& complaint : complaints(found)) writer.item(complaint, 2);
}

void write_strategies(audit_writer& writer, const audit_report& report) {
  writer.heading("What the strategies mean");
  for (const audited_strategy& s : report.strategies) {
    writer.item(on_one_line(s.name) + ": " + degrees_in_words(s.deployment.strategy), 0);
    write_mapping(writer, "all degrees multiplied (product): ", s.product);
    write_mapping(writer, "experts on the GPUs of dense layers (folded): ", s.folded);
    if (!s.groups.empty()) writer.item("the groups listed:", 1);
    for (const std::string& complaint : s.groups) writer.item(complaint, 2);
  }
}

void write_repairs(audit_writer& writer, const audit_report& report) {
  writer.heading("Nearest deployable strategies");
  writer.paragraph(assumption_in_words(report.file.deployment));
  for (const audited_strategy& s : report.strategies) {
    const std::string name = on_one_line(s.name);
    if (s.repairs.outcome == repair_outcome::legal) {
      writer.item(name + ": nothing to change under the folded mapping", 0);
      continue;
    }
    writer.item(name + (s.repairs.entries.empty() ? ": none was found" : ":"), 0);
    for (const repair_entry& e : s.repairs.entries) writer.item(repair_in_words(e) + ": " + counted(e.repair.gpus, "GPU"), 1);
  }
}

void write_audit(audit_writer& writer, const audit_report& report) {
  writer.title(report.file.title.empty() ? "A deployment report" : on_one_line(report.file.title));
  const std::string numbers = numbers_in_words(report.file.deployment);
  if (!numbers.empty()) writer.paragraph(numbers);
  writer.heading(summary_of(report));
  if (!report.verdicts.empty()) writer.table(table_of(report), "rllrl");
  write_reasons(writer, report, claim_outcome::fails, "What fails, and why");
  write_reasons(writer, report, claim_outcome::undecided, "What cannot be decided, and why");
  if (report.strategies.empty()) return;
  write_strategies(writer, report);
  write_repairs(writer, report);
}

} // namespace

std::string claimed_in_words(const io::report_claim& c) {
  constexpr const char* marks[] = {"", "<= ", "< ", ">= ", "> ", "not "};
  return marks[static_cast<std::size_t>(c.stated.relation)] + on_one_line(c.claimed);
}

void print_audit(std::ostream& out, const audit_report& report) {
  audit_writer writer{out, false};
  write_audit(writer, report);
}

void print_audit_as_markdown(std::ostream& out, const audit_report& report) {
  audit_writer writer{out, true};
  write_audit(writer, report);
}

void print_quantities(std::ostream& out) {
  text_table table{"lll"};
  table.row({"quantity", "claimed as", "computed from"});
  for (const claim_quantity_entry& e : claim_quantity_table) {
    bool first = true;
    for (const claim_formula& f : claim_formula_table) {
      if (f.quantity != e.id) continue;
      std::string inputs;
      for (const claim_input input : f.needs) inputs += (inputs.empty() ? "" : ", ") + string_of(name_of(input));
      if (!f.suffices) inputs += " and more than can be given";
      if (e.id == claim_quantity::deployable) inputs += ", degrees, and what else is known of the deployment";
      table.row({first ? e.name : "", first ? string_of(units_of(e.dimension)) : "", first ? inputs : "or " + inputs});
      first = false;
    }
  }
  table.row({io::valid_json, string_of(units_of(dimension::answer)), "the document"});
  table.print(out);
}

} // namespace tool
