// A project's folder with small tables where safe-manifest looks for them, and the program run in it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/vqa.hpp"

namespace support {

class Project {
 public:
  Project() {
    for (const char* folder : {"data/vqa", "data/audiocaps", "experiments/overfitting"})
      std::filesystem::create_directories(scratch_ / folder);
    for (const std::string year : {"val2014", "train2014"}) {
      std::vector<common::Json> questions;
      std::vector<common::Json> annotations;
      many_questions(60, questions, annotations);
      for (std::size_t i = 0; i < annotations.size(); ++i)
        annotations[i]["answer_type"] = i % 3 == 0 ? "number" : "other";
      put_file(scratch_ / ("data/vqa/v2_OpenEnded_mscoco_" + year + "_questions.json"),
               questions_table(questions, year));
      put_file(scratch_ / ("data/vqa/v2_mscoco_" + year + "_annotations.json"),
               annotations_table(annotations));
    }
    for (const std::string split : {"train", "val"}) {
      std::string table = "audiocap_id,youtube_id,start_time,caption\r\n";
      for (int i = 0; i < 20; ++i)
        table += std::to_string(i + 1) + "," + split + "_" + std::to_string(i % 10) + "," +
                 std::to_string(i % 10) + ",\"A dog barks, then " + std::to_string(i) + " cats\"\r\n";
      put_file(scratch_ / ("data/audiocaps/" + split + ".csv"), table);
    }
  }
  [[nodiscard]] Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), SAFE_BIN "/safe-manifest");
    return run_process(arguments, scratch_.path());
  }
  [[nodiscard]] std::filesystem::path at(const std::string& name) const {
    return scratch_ / ("experiments/overfitting/" + name);
  }
  [[nodiscard]] std::filesystem::path root(const std::string& name) const { return scratch_ / name; }
  // Names of what lies in the output folder, in order.
  [[nodiscard]] std::vector<std::string> written() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(at("")))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  Scratch scratch_;
};

}  // namespace support
