// What was said so far, so that an evaluation that is interrupted goes on where it was. A file of the run
// while it is evaluated, and no part of it afterwards: predictions.jsonl has all of it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "common/sealed/folder.hpp"
#include "trainer/results/json_lines.hpp"

namespace trainer {

struct Spoken {
  std::string text;       // as generated, special tokens left out
  double nll = 0;         // nats a token of the row's own answer
  double kl = 0;          // nats, mean over the answer's positions, from the base (over the same padding)
  bool same_bits = true;  // all the row's logits equal the base's
};

// By voice, then by row.
using SpokenBatch = std::vector<std::vector<Spoken>>;
[[nodiscard]] common::Json to_json(const SpokenBatch& batch);
// Throws what the JSON library throws where the value is of another form.
[[nodiscard]] SpokenBatch spoken_from(const common::Json& value);

class AnswerLog {
 public:
  AnswerLog() = default;  // remembers nothing
  // In a run's folder, which the caller has locked. Lines that do not parse count as absent.
  explicit AnswerLog(const common::Folder& run);
  // What another process's log has: knows it, and remembers nothing more.
  explicit AnswerLog(const std::string& text);
  [[nodiscard]] static std::string read(const common::Folder& run);  // empty where there is none

  // Both are safe from many threads. A batch is named by what is asked, its first row, and how many voices
  // and rows it has.
  [[nodiscard]] std::optional<SpokenBatch> find(const std::string& what, std::size_t begin,
                                                std::size_t voices, std::size_t rows) const;
  void add(const std::string& what, std::size_t begin, const SpokenBatch& spoken);
  // The run has its predictions: the file goes.
  static void remove_from(const common::Folder& run);

 private:
  void know(const std::string& text);

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::size_t>, SpokenBatch> known_;
  std::optional<JsonLines> lines_;
};

}  // namespace trainer
