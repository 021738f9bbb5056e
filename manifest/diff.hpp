// What makes two manifests of one kind differ, row by row: rows are matched by their id, not by their place.
#pragma once

#include <string>
#include <vector>

#include "manifest/format/parse.hpp"

namespace manifest {

enum class Change { removed, added, changed };

struct RowChange {
  Change change = Change::changed;
  std::string what;               // "clip", "question", "caption" (of a base), "field", "order"
  std::string id;                 // youtube_id, question_id, audiocap_id, or the field's key
  std::vector<std::string> keys;  // of a changed row: whose values differ
};

// Fields of the head first; then of each list what was removed, added and changed, in the order of the lists,
// and whether the rows that both have stand in another order. Throws usage where one holds clips and the
// other questions.
[[nodiscard]] std::vector<RowChange> diff_manifests(const AnyManifest& a, const AnyManifest& b);

// "- question 123", "~ clip 1T8CKfXM6TX: caption".
[[nodiscard]] std::string describe(const RowChange& change);
[[nodiscard]] common::Json to_json(const RowChange& change);

}  // namespace manifest
