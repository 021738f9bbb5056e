#include "packer/check/outline.hpp"

#include "common/error.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "packer/check/verify.hpp"

namespace packer {
namespace {

// What is wrong with a folder's media is verify's affair, and changes nothing in what the control files say.
bool is_about_media(const common::Finding& finding) {
  if (finding.rule == "F1") return !is_control(finding.path);
  return finding.rule == "F3" || finding.rule == "F4" || finding.rule == "F5";
}

bool is_manifest(Role role) {
  return role == Role::manifest || role == Role::subset_manifest || role == Role::val_manifest ||
         role == Role::retention_manifest || role == Role::base_manifest ||
         role == Role::audio_val_manifest || role == Role::unlike_manifest;
}

bool names(const manifest::ClipEntry& clip, const std::string& path) { return clip.audio_relpath == path; }
bool names(const manifest::QuestionEntry& entry, const std::string& path) {
  return image_path(entry) == path;
}

}  // namespace

Outline read_outline(const std::filesystem::path& path, const std::optional<common::Digest>& expected_id,
                     const std::optional<common::PublicKey>& trusted_key) {
  ExamineRequest request;
  request.expected_id = expected_id;
  request.trusted_key = trusted_key;
  request.depth = Depth::control;
  request.verbosity = common::Verbosity::quiet;
  Outline outline{path, examine(path, request), {}, {}};
  common::Findings damage;
  for (const common::Finding& finding : outline.examination.findings)
    (is_about_media(finding) ? outline.about_media : damage).push_back(finding);
  if (!damage.empty() || !outline.examination.id || !outline.examination.info)
    common::throw_findings("the control files of " + path.string() + " do not verify", damage,
                           remedy_for(path, damage));
  for (const auto& [name, bytes] : outline.examination.control)
    if (const auto role = role_of(name); role && is_manifest(*role))
      outline.manifests.emplace(name,
                                manifest::parse_any(common::text_of(bytes), name, manifest::Repeats::refuse));
  return outline;
}

std::vector<NamingRow> rows_naming(const Outline& outline, const std::string& path) {
  std::vector<NamingRow> rows;
  for (const auto& [name, any] : outline.manifests)
    std::visit(
        [&, &file = name](const auto& manifest) {
          for (const auto& entry : manifest.entries)
            if (names(entry, path)) rows.push_back({file, manifest::row_of(entry)});
        },
        any);
  return rows;
}

}  // namespace packer
