// Where a repair may find bytes: the folders and archives that the user named, and the pack itself (a file
// that was renamed is still there). Whatever they claim, only bytes that hash to the wanted digest are taken.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "packer/check/verify.hpp"
#include "packer/format/info.hpp"
#include "packer/repair/seal.hpp"
#include "packer/repair/site.hpp"

namespace packer {

struct RepairRequest;
class SourceShelf;

class RepairSources {
 public:
  // Looks at what the request names, and reads the control files of archives.
  RepairSources(const RepairSite& site, const RepairRequest& request);

  // The seals that packs among the sources have, with their signatures.
  [[nodiscard]] const std::vector<SealCandidate>& seals() const { return seals_; }

  // Each fills in what the site wants and the sources have.
  void fetch_control(RepairSite& site) const;
  void fetch_all(RepairSite& site, const std::vector<common::SumsLine>& lines,
                 const std::optional<PackInfo>& info);

  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  struct Archive {
    std::filesystem::path path;
    Form form = Form::tar;
    std::map<std::string, common::Bytes> control;
  };

  void add_archive(const std::filesystem::path& path, Form form);
  void add_seal(const std::string& from, common::Bytes seal, std::optional<common::Bytes> signature);
  void fetch_named(RepairSite& site, const SourceShelf& shelf) const;
  void fetch_same_size(RepairSite& site, const SourceShelf& shelf) const;
  void fetch_from_archives(RepairSite& site);
  void fetch_twins(RepairSite& site, const std::vector<common::SumsLine>& lines) const;
  void make_clips_again(RepairSite& site, const SourceShelf& shelf, const PackInfo& info) const;

  unsigned threads_ = 0;
  common::Verbosity verbosity_ = common::Verbosity::normal;
  std::vector<std::filesystem::path> folders_;  // the pack itself is the last
  std::vector<Archive> archives_;
  std::vector<SealCandidate> seals_;
  std::vector<std::string> remarks_;
};

}  // namespace packer
