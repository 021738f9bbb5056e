#include "trainer/run/earlier_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "trainer/results/config_keys.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

void go_on_with(RunDirectory run, const std::string& config_digest, EarlierRun& earlier) {
  earlier.state = RunState::unfinished;
  earlier.checkpoint = read_checkpoint(run, config_digest);
  const common::Json config = run.read_config();
  if (const std::string kept = config.value(k_kept_prefixes, std::string()); !kept.empty())
    earlier.kept = kept == k_keys ? Kept::keys : Kept::states;
  if (const auto rows = config.find(k_micro_batch); rows != config.end() && rows->is_number_integer())
    earlier.micro_batch = std::max<std::int64_t>(rows->get<std::int64_t>(), 1);
  common::Json resumed_at = config.value(k_resumed_at, common::Json::array());
  if (!resumed_at.is_array())
    throw common::Error(common::ErrorKind::format,
                        fmt::format("{}: \"{}\" is not a list; start again without "
                                    "--resume",
                                    (run.path() / "config.json").string(), k_resumed_at));
  resumed_at.push_back(earlier.checkpoint ? earlier.checkpoint->step : 0);
  earlier.resumed_at = std::move(resumed_at);
  earlier.unfinished = std::move(run);
}

EarlierRun look_for_run(const RunConfig& config, const common::Digest& config_digest) {
  EarlierRun earlier;
  const std::optional<fs::path> found = find_run(config.output_root, config.variant, config_digest);
  if (!found) return earlier;
  std::optional<RunDirectory> unfinished;
  if (!is_finished(*found))
    unfinished = RunDirectory::open_unfinished(*found);  // nothing: sealed between the looks
  if (unfinished) {
    go_on_with(*std::move(unfinished), config_digest.hex(), earlier);
  } else {
    earlier.state = RunState::finished;
    earlier.finished = found;
  }
  return earlier;
}

// The state and the checkpoint that the first process found.
void tell_others(const ProcessGroup& group, EarlierRun& earlier) {
  common::Json told = {{"state", static_cast<int>(earlier.state)}, {"names", common::Json::array()}};
  std::vector<torch::Tensor> tensors;
  if (earlier.kept) told["kept"] = static_cast<int>(*earlier.kept);
  if (earlier.micro_batch) told[k_micro_batch] = *earlier.micro_batch;
  if (earlier.checkpoint) {
    told["step"] = earlier.checkpoint->step;
    for (const auto& [name, tensor] : earlier.checkpoint->file.tensors) {
      told["names"].push_back(name);
      tensors.push_back(tensor);
    }
  }
  told = common::parse_json(group.broadcast(common::dump_line(told), 0), "what rank 0 sent");
  tensors = group.broadcast(tensors, 0);
  if (group.is_first()) return;
  earlier.state = static_cast<RunState>(told.at("state").get<int>());
  if (told.contains("kept")) earlier.kept = static_cast<Kept>(told.at("kept").get<int>());
  if (told.contains(k_micro_batch)) earlier.micro_batch = told.at(k_micro_batch).get<std::int64_t>();
  if (!told.contains("step")) return;
  earlier.checkpoint.emplace();
  earlier.checkpoint->step = told.at("step").get<std::int64_t>();
  for (std::size_t k = 0; k < tensors.size(); ++k)
    earlier.checkpoint->file.tensors[told.at("names").at(k).get<std::string>()] = tensors[k];
}

}  // namespace

RunClaim::RunClaim(const RunConfig& config, const common::Digest& config_digest)
    : root_((fs::create_directories(config.output_root), common::Folder::open(config.output_root))),
      lock_(root_, config.variant + "_" + config_digest.hex()) {
  if (const std::optional<fs::path> found = find_run(config.output_root, config.variant, config_digest))
    throw common::Error(common::ErrorKind::io, "another process began this run just now: " + found->string() +
                                                   "; give the same command again when that has ended");
}

EarlierRun find_earlier_run(const RunConfig& config, Resume resume, const common::Digest& config_digest,
                            const ProcessGroup& group) {
  EarlierRun earlier;
  if (resume != Resume::resume) return earlier;
  if (group.is_first()) earlier = look_for_run(config, config_digest);
  if (!group.is_alone()) tell_others(group, earlier);
  return earlier;
}

}  // namespace trainer
