#include "trainer/evaluate/answer_log.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr const char* k_name = "evaluation.jsonl";
constexpr std::uint64_t k_limit_bytes = std::uint64_t{1} << 30;

bool is_finite(const SpokenBatch& batch) {
  return std::all_of(batch.begin(), batch.end(), [](const std::vector<Spoken>& voice) {
    return std::all_of(voice.begin(), voice.end(),
                       [](const Spoken& one) { return std::isfinite(one.nll) && std::isfinite(one.kl); });
  });
}

}  // namespace

common::Json to_json(const SpokenBatch& batch) {
  common::Json voices = common::Json::array();
  for (const std::vector<Spoken>& voice : batch) {
    common::Json rows = common::Json::array();
    for (const Spoken& one : voice)
      rows.push_back(common::Json::array({one.text, one.nll, one.kl, one.same_bits}));
    voices.push_back(std::move(rows));
  }
  return voices;
}

SpokenBatch spoken_from(const common::Json& value) {
  SpokenBatch batch;
  for (const common::Json& voice : value) {
    std::vector<Spoken>& rows = batch.emplace_back();
    for (const common::Json& row : voice)
      rows.push_back({row.at(0).get<std::string>(), row.at(1).get<double>(), row.at(2).get<double>(),
                      row.at(3).get<bool>()});
  }
  return batch;
}

AnswerLog::AnswerLog(const common::Folder& run) {
  lines_.emplace(run, k_name);
  know(run.read_text(k_name, k_limit_bytes));
}

AnswerLog::AnswerLog(const std::string& text) { know(text); }

std::string AnswerLog::read(const common::Folder& run) {
  return run.look(k_name) ? run.read_text(k_name, k_limit_bytes) : std::string();
}

void AnswerLog::know(const std::string& text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    try {
      const common::Json line = common::parse_json(std::string_view(text).substr(begin, end - begin), k_name);
      known_[{line.at("what").get<std::string>(), line.at("begin").get<std::size_t>()}] =
          spoken_from(line.at("spoken"));
    } catch (const std::exception&) {  // as good as absent
    }
    begin = end + 1;
  }
}

std::optional<SpokenBatch> AnswerLog::find(const std::string& what, std::size_t begin, std::size_t voices,
                                           std::size_t rows) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find({what, begin});
  if (found == known_.end() || found->second.size() != voices) return std::nullopt;
  for (const std::vector<Spoken>& voice : found->second)
    if (voice.size() != rows) return std::nullopt;
  return found->second;
}

void AnswerLog::add(const std::string& what, std::size_t begin, const SpokenBatch& spoken) {
  if (!is_finite(spoken)) return;  // JSON has no such numbers
  const std::lock_guard lock(mutex_);
  if (lines_) lines_->append({{"what", what}, {"begin", begin}, {"spoken", to_json(spoken)}});
}

void AnswerLog::remove_from(const common::Folder& run) {
  if (run.look(k_name)) run.remove(k_name);
}

}  // namespace trainer
