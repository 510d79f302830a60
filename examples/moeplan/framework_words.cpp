#include "framework_words.hpp"

#include <cstdint>
#include <string>

#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/verify/rule.hpp>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// One line: the framework's word, its number, and what that is here.
class words {
public:
  words& line(const std::string& word, std::int64_t number, const std::string& here) { return line(word, grouped(number), here); }
  words& line(const std::string& word, const std::string& value, const std::string& here) {
    table_.row({word, value, here});
    return *this;
  }
  void print(std::ostream& out) const { table_.print(out, 6); }

private:
  text_table table_{"lr"};
};

void heading(std::ostream& out, const char* framework) {
  const std::string text = std::string{"What these degrees mean to "} + framework;
  out << text << '\n' << std::string(text.size(), '-') << '\n';
}

std::string yes_or_no(bool b) { return b ? "yes" : "no"; }

void torchtitan(std::ostream& out, const facts& f) {
  heading(out, "torchtitan");
  words w;
  w.line("data_parallel_replicate_degree", f.dp_replicate, "copies of the sharded weights")
      .line("data_parallel_shard_degree", f.dp_shard, f.dp_shard == 0 ? "does not come out even" : "DP / dp_replicate")
      .line("context_parallel_degree", f.cp, "CP")
      .line("tensor_parallel_degree", f.tp, "TP")
      .line("enable_sequence_parallel", yes_or_no(f.sp > 1), "SP")
      .line("pipeline_parallel_degree", f.pp, "PP")
      .line("expert_parallel_degree", f.ep, "EP")
      .line("world size", f.gpus, "dp_replicate x dp_shard x CP x TP x PP")
      .print(out);
  const std::int64_t borrowed = f.dp_shard * f.cp * f.tp;
  out << "\n  EP borrows ranks from dp_shard x CP x TP = " << grouped(borrowed) << ", not from dp_replicate";
  if (borrowed > 0 && borrowed % f.ep == 0)
    out << "; what is left is efsdp = " << grouped(borrowed / f.ep) << ", the ranks that shard an expert.\n";
  else
    out << ", which EP " << grouped(f.ep) << " does not divide.\n";
  if (f.etp != 1) out << "  It has no word for ETP " << grouped(f.etp) << ".\n";
}

void vllm(std::ostream& out, const facts& f) {
  heading(out, "vLLM");
  const bool spread = f.ep > 1;
  words w;
  w.line("--tensor-parallel-size", f.tp, "TP")
      .line("--pipeline-parallel-size", f.pp, "PP")
      .line("--data-parallel-size", f.replicas ? 1 : f.dp, f.replicas ? "of each of " + counted(f.dp, "instance") : "DP")
      .line("--prefill-context-parallel-size", f.cp, "CP")
      .line("--decode-context-parallel-size", f.decode_context, "ranks that share keys and values")
      .line("--enable-expert-parallel", yes_or_no(spread), "whether EP is above 1");
  if (f.redundant_experts > 0) w.line("num_redundant_experts", f.redundant_experts, "with --enable-eplb");
  w.line("world size", f.gpus / (f.replicas ? f.dp : 1), "PP x TP x CP x DP").print(out);
  if (f.experts < 1) {
    out << "\n  The model has no experts: EP means nothing, and DP ranks are independent.\n";
    return;
  }
  out << "\n  EP is not given but derived: TP x CP x DP = " << grouped(f.sharing_gpus) << (spread ? "" : " if it were enabled")
      << ". " << (spread ? "Experts are then whole" : "Without it each expert is cut over these ranks") << " (ETP "
      << (spread ? "1" : grouped(f.sharing_gpus)) << ").\n";
  if (f.ep != (spread ? f.sharing_gpus : 1) || f.etp != (spread ? 1 : f.sharing_gpus))
    out << "  The ETP " << grouped(f.etp) << " x EP " << grouped(f.ep) << " described here is not what it would run.\n";
}

void sglang(std::ostream& out, const facts& f, const cluster& c) {
  heading(out, "SGLang");
  words w;
  w.line("--tp-size", f.sharing_gpus, f.replicas ? "TP x CP: all of a replica's stage" : "TP x CP x DP: all of a stage")
      .line("--pp-size", f.pp, "PP")
      .line("--dp-size", f.dp, "DP")
      .line("--enable-dp-attention", yes_or_no(f.dp > 1 && !f.replicas), "whether DP ranks share the experts")
      .line("--attn-cp-size", f.cp, "CP")
      .line("--dcp-size", f.decode_context, "ranks that share keys and values")
      .line("--ep-size", f.ep, "EP")
      .line("--moe-dp-size", f.moe_dp, f.moe_dp == 0 ? "does not come out even" : "copies of each expert: tp / (ETP x EP)");
  if (c.nodes.given && f.nodes > 0 && f.available == f.gpus) w.line("--nnodes", f.nodes, "nodes");
  w.print(out);
  out << "\n  From these it derives attn_tp = tp / (" << (f.replicas ? "" : "dp x ") << "attn_cp) = " << grouped(f.tp)
      << " (TP) and moe_tp = tp / (ep x moe_dp) = " << grouped(f.etp) << " (ETP).\n";
}

void trtllm(std::ostream& out, const facts& f) {
  heading(out, "TensorRT-LLM");
  const bool attention_dp = !f.replicas && f.dp > 1;
  const std::int64_t tp = f.replicas ? f.tp : f.tp * f.dp;
  const bool helix = f.cp > 1 && f.decode_context == f.cp;
  words w;
  w.line("tensor_parallel_size", tp, attention_dp ? "TP x DP" : "TP")
      .line("pipeline_parallel_size", f.pp, "PP")
      .line("context_parallel_size", f.cp, helix ? "CP (Helix)" : "CP")
      .line("enable_attention_dp", yes_or_no(attention_dp), "whether DP, not TP, divides attention")
      .line("moe_tensor_parallel_size", f.etp, "ETP")
      .line("moe_expert_parallel_size", f.ep, "EP")
      .line("world size", f.gpus / (f.replicas ? f.dp : 1), "tensor x pipeline x context")
      .print(out);
  out << "\n  moe_tensor_parallel_size x moe_expert_parallel_size has to be "
      << (helix ? "tensor x context = " : "tensor_parallel_size = ") << grouped(helix ? tp * f.cp : tp) << "; here it is "
      << grouped(f.expert_ranks) << ".\n";
}

void deepspeed(std::ostream& out, const facts& f) {
  heading(out, "DeepSpeed");
  words w;
  w.line("tensor_parallel.autotp_size", f.tp, "TP")
      .line("sequence_parallel_size", f.cp, "CP (Ulysses)")
      .line("pipeline stages", f.pp, "PP")
      .line("expert_parallel.autoep_size", f.ep, "EP")
      .line("expert_parallel.expert_tensor_parallel_size", f.etp, "ETP")
      .line("world size", f.gpus, "TP x CP x DP x PP")
      .line("expert data parallelism", f.edp, "EDP");
  if (f.knows(known::training | known::batch) && f.batch_unit > 0) {
    const std::int64_t global = f.global_batch_given ? f.global_batch : f.batch_unit;
    w.line("train_batch_size", global, "global batch").line("train_micro_batch_size_per_gpu", f.micro_batch, "micro-batch");
    if (global % f.batch_unit == 0)
      w.line("gradient_accumulation_steps", global / f.batch_unit, "global batch / (micro-batch x DP)");
  }
  w.print(out);
  out << "\n  Experts lie on ETP x EP of the " << grouped(f.stage_gpus) << " GPUs that PP leaves, " << grouped(f.edp)
      << (f.edp == 1 ? " time over.\n" : " times over.\n");
}

} // namespace

void explain_framework(std::ostream& out, const deployment& d, const facts& f) {
  if ((scope::of(d.profile) & scope::serving) != 0 && f.knows(known::training)) {
    out << "The framework of profile " << io::name_in(io::profile_names, d.profile) << " has no words for training.\n\n";
    return;
  }
  if (d.profile == profile::torchtitan && f.knows(known::serving)) {
    out << "torchtitan has no words for serving.\n\n";
    return;
  }
  switch (d.profile) {
    case profile::universal:
    case profile::megatron: return;
    case profile::torchtitan: torchtitan(out, f); break;
    case profile::vllm: vllm(out, f); break;
    case profile::sglang: sglang(out, f, d.cluster); break;
    case profile::trtllm: trtllm(out, f); break;
    case profile::deepspeed: deepspeed(out, f); break;
  }
  out << '\n';
}

} // namespace tool
