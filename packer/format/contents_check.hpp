// Whether the control files agree with each other and with the list of files: the checks that a folder, a
// .tar and a stream share. Each manifest is looked through once, row by row, when its bytes are there, and
// nothing of it is kept but keys and numbers: the manifests of 100,000 files have 80 MB, and ten times that
// as documents.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.hpp"
#include "common/sealed/finding_limit.hpp"
#include "packer/format/contents.hpp"

namespace packer {

class ContentsCheck {
 public:
  // A control file other than pack.json. `sums` is the pack's, with every call.
  void read(const std::string& name, common::ByteView bytes, const std::vector<common::SumsLine>& sums);
  // M1 to M8 and N7: what was found in what was read, and what does not fit together.
  void conclude(const PackInfo& info, const std::vector<common::SumsLine>& sums, common::Findings& findings);

 private:
  // Paths that rows name: a bit for each that the seal lists, the others as they are.
  class Paths {
   public:
    // False where it was in already. `line`: in the seal.
    bool insert(std::optional<std::size_t> line, const std::string& path);
    [[nodiscard]] bool has(std::size_t line) const { return line < lines_.size() && lines_[line]; }
    [[nodiscard]] std::size_t size() const { return count_ + others_.size(); }

   private:
    std::vector<bool> lines_;
    std::size_t count_ = 0;
    std::set<std::string> others_;
  };

  void read_clips(Role role, const std::string& name, std::string_view text);
  void read_questions(Role role, const std::string& name, std::string_view text);
  // The file that a row names becomes a named one and its digest a key; M2 where there is none. Gives its
  // line.
  std::optional<std::size_t> name_media(const std::string& path, SplitKeys& keys);
  void check_media();
  void check_derived();
  void check_recipe(const PackInfo& info);
  [[nodiscard]] std::size_t rows_of(Role role) const;
  [[nodiscard]] std::optional<std::size_t> line_of(std::string_view path) const;
  void find(const char* rule, const std::string& path, const std::string& what) {
    // Of each rule up to the limit: a manifest may break one in every row.
    if (++counts_[rule] < common::k_finding_limit)
      findings_.push_back({path, rule, what});
    else if (counts_[rule] == common::k_finding_limit)
      findings_.push_back({"", rule, "is broken more often than is listed"});
  }

  const std::vector<common::SumsLine>* sums_ = nullptr;  // during a call
  common::Findings findings_;
  std::map<std::string, std::size_t> counts_;  // of them, by rule
  std::map<Role, SplitKeys> splits_;
  std::map<Role, std::size_t> rows_;
  Paths named_, named_by_clips_, named_by_val_;
  std::optional<manifest::SubsetManifest> clips_;  // manifest.json without its rows
  std::optional<common::Digest> captions_;         // of the captions.jsonl that follows from it
};

}  // namespace packer
