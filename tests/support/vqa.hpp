// Small VQA v2 tables and manifests, made by code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "manifest/format/manifest.hpp"

namespace support {

inline common::Json question_row(std::int64_t question_id, std::int64_t image_id,
                                 const std::string& question) {
  common::Json row = common::Json::object();
  row["image_id"] = image_id;
  row["question"] = question;
  row["question_id"] = question_id;
  return row;
}

inline common::Json annotation_row(std::int64_t question_id, const std::vector<std::string>& answers) {
  common::Json row = common::Json::object();
  row["question_type"] = "what";
  row["answers"] = common::Json::array();
  for (const std::string& answer : answers)
    row["answers"].push_back({{"answer", answer}, {"answer_confidence", "yes"}, {"answer_id", 1}});
  row["question_id"] = question_id;
  return row;
}

inline std::string questions_table(const std::vector<common::Json>& rows,
                                   const std::string& data_subtype = "") {
  common::Json table = common::Json::object();
  table["info"] = {{"version", "2.0"}, {"questions", "not these"}};
  if (!data_subtype.empty()) table["data_subtype"] = data_subtype;
  table["questions"] = rows;
  return common::dump_line(table);
}

inline std::string annotations_table(const std::vector<common::Json>& rows) {
  common::Json table = common::Json::object();
  table["annotations"] = rows;
  table["license"] = {{"url", "x"}};
  return common::dump_line(table);
}

// `count` questions on half as many images: question_ids 1000, 1001, 2000, ... of image_ids 1, 1, 2, ...
inline void many_questions(int count, std::vector<common::Json>& questions,
                           std::vector<common::Json>& annotations) {
  for (int i = 0; i < count; ++i) {
    const std::int64_t image_id = i / 2 + 1;
    const std::int64_t question_id = image_id * 1000 + i % 2;
    questions.push_back(question_row(question_id, image_id, "What is it?"));
    annotations.push_back(annotation_row(question_id, std::vector<std::string>(10, "cat")));
  }
}

inline manifest::ClipEntry clip(const std::string& audiocap_id, const std::string& youtube_id) {
  return {audiocap_id, youtube_id, 30.0, "A dog barks", {}, "audio/train/" + youtube_id + ".wav"};
}

inline manifest::SubsetManifest subset_of(const std::vector<manifest::ClipEntry>& clips) {
  return {"a", "b", 42, "c", "audio/train", clips};
}

inline manifest::QuestionEntry question(std::int64_t question_id, std::int64_t image_id) {
  std::string digits = std::to_string(image_id);
  digits.insert(0, 12 - digits.size(), '0');
  return {question_id, image_id, "COCO_val2014_" + digits + ".jpg", "What?", {"Cat", "dog", "cat"}, "cat"};
}

inline manifest::VqaManifest vqa_of(const std::vector<manifest::QuestionEntry>& entries) {
  return {"a", "b", 123, "c", entries, {}};
}

}  // namespace support
