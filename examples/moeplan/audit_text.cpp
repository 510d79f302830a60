#include "audit_text.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moeplan/io/report_groups.hpp>
#include <moeplan/verify/claim_formula.hpp>
#include <moeplan/verify/claim_formulas.hpp>
#include <moeplan/verify/claim_reason.hpp>
#include <moeplan/verify/printed_words.hpp>

#include "findings_output.hpp"
#include "repair_text.hpp"
#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// How many bytes of UTF-8 at `at` are a character that would begin a line, steer a terminal or turn the direction of writing: C0 and C1
/// controls, separators of lines and paragraphs, marks of direction. 0: it is none.
std::size_t size_of_control(std::string_view words, std::size_t at) {
  const auto byte = [words, at](std::size_t i) -> unsigned {
    return at + i < words.size() ? static_cast<unsigned char>(words[at + i]) : 0U;
  };
  if (byte(0) < ' ' || byte(0) == 0x7f) return 1;
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return 2;
  const unsigned third = byte(2);
  const bool is_among_e280 = third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae);
  if (byte(0) == 0xe2 && byte(1) == 0x80 && is_among_e280) return 3;
  return byte(0) == 0xe2 && byte(1) == 0x81 && third >= 0xa6 && third <= 0xa9 ? 3 : 0;
}

/// Fit for one line: each such character becomes a blank, and blanks at the ends go.
std::string on_one_line(const std::string& words) {
  std::string line;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t control = size_of_control(words, at);
    line += control == 0 ? words[at] : ' ';
    at += std::max<std::size_t>(control, 1);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
}

/// At most so many characters, the last of which are dots where there were more.
std::string shortened(const std::string& words, std::size_t most) {
  if (columns_of(words) <= most) return words;
  std::size_t end = 0;
  for (std::size_t characters = 0; characters < most - 3; ++characters)
    for (++end; end < words.size() && (static_cast<unsigned char>(words[end]) & 0xc0U) == 0x80U;) ++end;
  return words.substr(0, end) + "...";
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
    text_buffer<160> number;
    append_name(number, i.name);
    append_printed(number.append(' '), i.value);
    all += (all.empty() ? "" : ", ") + string_of(number);
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

/// Whether a finding says that a strategy takes more GPUs than there are, or fewer.
bool is_about_number_of_gpus(const finding& f) { return f.id() == rule::gpus_are_available || f.id() == rule::no_gpu_is_idle; }

/// "8,192 GPUs, of which there are 128", "32 GPUs of 128: 96 stay idle; nearest legal dp: 16".
std::string gpus_in_words(const findings& found) {
  const facts& f = found.facts;
  if (!f.knows(known::degrees | known::no_overflow)) return "no number of GPUs";
  std::string words = counted(f.gpus, "GPU");
  if (!f.knows(known::cluster)) return words;
  words += f.gpus > f.available ? ", of which there are " + grouped(f.available) : " of " + grouped(f.available);
  const std::int64_t idle = f.available - f.gpus;
  if (idle > 0) words += ": " + grouped(idle) + (idle == 1 ? " stays idle" : " stay idle");
  for (const finding& about : list_of(found)) {
    text_buffer<128> legal;
    if (is_about_number_of_gpus(about)) append_legal(legal, about);
    words += string_of(legal);
  }
  return words;
}

/// What else a mapping makes wrong, each with what would be right.
std::vector<std::string> complaints(const findings& found) {
  std::vector<std::string> all;
  for (const finding& f : list_of(found)) {
    if (f.level() != severity::error || is_about_number_of_gpus(f)) continue;
    text_buffer<128> legal;
    append_legal(legal, f);
    all.push_back(message_of(f) + string_of(legal));
  }
  return all;
}

/// "EP 64 to 32, micro-batch 32 to 8; DP 4 to 16 follows", "DP 1 to 16".
std::string repair_in_words(const repair_entry& e) {
  if (e.changes.empty()) return e.derived.empty() ? "no change" : in_words(e.derived);
  std::string words = in_words(e.changes);
  if (!e.derived.empty()) words += "; " + in_words(e.derived) + (e.derived.size() == 1 ? " follows" : " follow");
  return words;
}

/// Sizes of the deployment that a rule could be about.
std::string open_sizes(const claim_inputs& given) {
  std::string all;
  for (const claim_input name : {claim_input::layers, claim_input::experts, claim_input::hidden_size, claim_input::heads,
                                 claim_input::expert_intermediate_size, claim_input::sequence_length}) {
    if (given.gives(name)) continue;
    text_buffer<64> words;
    append_name(words, name);
    all += (all.empty() ? "" : ", ") + string_of(words);
  }
  return all;
}

std::string assumption_in_words(const claim_inputs& given) {
  const std::string open = open_sizes(given);
  const bool weights_are_known =
      given.gives(claim_input::parameters) && given.gives(claim_input::bytes_per_parameter) && given.gives(claim_input::capacity);
  const std::string about_memory =
      weights_are_known ? "Of memory it is judged only whether the weights can fit." : "Memory is not judged.";
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

  void paragraph(const std::string& words) {
    markdown_ ? block(escaped_block(words)) : void(out_ << wrapped(words, terminal_width()));
  }

  /// What a document does not need.
  void hint(const std::string& words) {
    if (!markdown_) paragraph(words);
  }

  /// Of a list, at a depth from 0.
  void item(const std::string& words, std::size_t depth) {
    const std::size_t indent = 2 * depth + (markdown_ ? 0 : 2);
    out_ << std::string(indent, ' ')
         << (markdown_ ? "- " + escaped_block(words) + '\n' : wrapped(words, terminal_width() - indent, indent + 2));
    after_blank_line_ = false;
  }

  void table(const std::vector<std::vector<std::string>>& rows, const std::string& alignment) {
    if (!markdown_) {
      text_table t{alignment};
      for (std::vector<std::string> cells : rows) {
        for (std::string& cell : cells) cell = shortened(cell, widest_cell);
        t.row(std::move(cells));
      }
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

  /// What Markdown would take for its own, GitHub's included, anywhere in a line.
  static std::string escaped(const std::string& words) {
    constexpr std::string_view marks = "\\|<>*_`~[]#&$";
    std::string result;
    for (const char c : words) {
      if (marks.find(c) != std::string_view::npos) result += '\\';
      result += c;
    }
    return result;
  }

  /// And what it would take for the beginning of a list or the line under a heading: "- ", "+ ", "1. ", "1) ", "===".
  static std::string escaped_block(const std::string& words) {
    std::string result = escaped(words);
    const std::size_t digits = std::min(result.find_first_not_of("0123456789"), result.size());
    const bool numbers = digits > 0 && digits < result.size() && (result[digits] == '.' || result[digits] == ')');
    const bool marks = digits == 0 && !result.empty() && std::string_view{"-+="}.find(result[0]) != std::string_view::npos;
    if (numbers || marks) result.insert(digits, 1, '\\');
    return result;
  }

  static constexpr std::size_t widest_cell = 48;

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
  std::string because; // Of claims in a row with one reason it is said once.
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const io::report_claim& c = report.file.claims[i];
    const io::report_verdict& v = report.verdicts[i];
    if (v.outcome != outcome) continue;
    if (!because.empty() && because != v.because) writer.item(on_one_line(because), 1);
    because = v.because;
    std::string words = on_one_line(c.id);
    if (!c.lines.empty()) words += (c.lines.size() == 1 ? ", line " : ", lines ") + lines_of(c);
    if (!c.words.empty()) words += ": \"" + on_one_line(c.words) + '"';
    writer.item(words, 0);
  }
  writer.item(on_one_line(because), 1);
}

void write_mapping(audit_writer& writer, const char* name, const findings& found) {
  writer.item(name + gpus_in_words(found), 1);
  for (const std::string& complaint : complaints(found)) writer.item(complaint, 2);
}

void write_strategies(audit_writer& writer, const audit_report& report) {
  writer.heading("What the strategies mean");
  for (const audited_strategy& s : report.strategies) {
    writer.item(on_one_line(s.name) + ": " + degrees_in_words(s.deployment.strategy), 0);
    write_mapping(writer, "all degrees multiplied (product): ", s.product);
    write_mapping(writer, "experts on the GPUs of dense layers (folded): ", s.folded);
    if (!s.memory.empty()) writer.item("memory: " + s.memory, 1);
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
      const std::string words =
          s.memory.empty() ? "nothing to change under the folded mapping" : "it breaks no rule, but " + s.memory;
      writer.item(name + ": " + words, 0);
      continue;
    }
    if (!s.folded.ok() && is_legal_on_some_gpus(s.folded) && s.repairs.entries.empty()) {
      writer.item(name + ": it breaks no rule; how many GPUs it takes is open", 0);
      continue;
    }
    const std::string none = s.memory.empty() ? "none was found" : "none, since " + s.memory;
    writer.item(name + (s.repairs.entries.empty() ? ": " + none : ":"), 0);
    for (const repair_entry& e : s.repairs.entries) writer.item(repair_in_words(e) + ": " + counted(e.repair.gpus, "GPU"), 1);
  }
}

void write_audit(audit_writer& writer, const audit_report& report, bool all_reasons) {
  writer.title(report.file.title.empty() ? "A deployment report" : on_one_line(report.file.title));
  const std::string numbers = numbers_in_words(report.file.deployment);
  if (!numbers.empty()) writer.paragraph(numbers);
  writer.heading(summary_of(report));
  if (!report.verdicts.empty()) writer.table(table_of(report), "rllrl");
  if (!all_reasons && report.number_of(claim_outcome::holds) != 0) writer.hint("Why a claim holds, --reasons says.");
  write_reasons(writer, report, claim_outcome::fails, "What fails, and why");
  write_reasons(writer, report, claim_outcome::undecided, "What cannot be decided, and why");
  if (all_reasons) write_reasons(writer, report, claim_outcome::holds, "What holds, and why");
  if (report.strategies.empty()) return;
  write_strategies(writer, report);
  write_repairs(writer, report);
}

} // namespace

std::string claimed_in_words(const io::report_claim& c) {
  constexpr const char* marks[] = {"", "<= ", "< ", ">= ", "> ", "not "};
  return marks[static_cast<std::size_t>(c.stated.relation)] + on_one_line(c.claimed);
}

void print_audit(std::ostream& out, const audit_report& report, bool all_reasons) {
  audit_writer writer{out, false};
  write_audit(writer, report, all_reasons);
}

void print_audit_as_markdown(std::ostream& out, const audit_report& report, bool all_reasons) {
  audit_writer writer{out, true};
  write_audit(writer, report, all_reasons);
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
