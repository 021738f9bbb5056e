#include "trainer/run/sizes.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

std::int64_t count(std::size_t size) { return static_cast<std::int64_t>(size); }

// What --val-size counts, in the source that the run is judged on.
std::int64_t judged_on(const Selection& selection, const std::string& val_source) {
  if (val_source == "pack_audio" || val_source == "pack_train_audio")
    return count(selection.memorised.size());
  if (val_source == "pack_mixed") return count(selection.memorised.size() + selection.validation.size());
  return count(selection.validation.size());
}

std::string warning(const char* what, std::int64_t asked, std::int64_t used, const char* flag) {
  return fmt::format(
      "warning: {} {} are asked for and there are {}: all of them are used, and config.json says so "
      "under \"used\" ({} 0 asks for all)",
      asked, what, used, flag);
}

}  // namespace

std::vector<std::string> record_sizes(const Selection& selection, const RunConfig& config,
                                      common::Json& record) {
  const std::int64_t clips = count(selection.train.size());
  const std::int64_t judged = judged_on(selection, config.val_source);
  common::Json used = common::Json::object();
  if (clips != config.subset_size) used["subset_size"] = clips;
  if (judged != config.evaluation.size) used["val_size"] = judged;
  if (const std::int64_t rows = count_train_rows(selection); rows != clips) used["caption_rows"] = rows;
  if (used.empty()) return {};
  record["used"] = used;
  std::vector<std::string> warnings;
  if (clips < config.subset_size)
    warnings.push_back(warning("training clips", config.subset_size, clips, "--subset-size"));
  if (judged < config.evaluation.size)
    warnings.push_back(warning("items to judge on", config.evaluation.size, judged, "--val-size"));
  return warnings;
}

}  // namespace trainer
