#include "trainer/report/examples.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/report/figures.hpp"
#include "trainer/report/html.hpp"

namespace trainer {
namespace {

constexpr const char* k_image_begin = "<img alt=\"picture of question ";
constexpr const char* k_sound_begin = "<audio controls preload=\"none\" aria-label=\"clip ";

bool is_data_url(const std::string& url, const std::string& kind) {
  const std::size_t comma = url.find(";base64,");
  if (!url.starts_with("data:" + kind + "/") || comma == std::string::npos) return false;
  return url.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
                               comma + 8) == std::string::npos;
}

// The attributes that follow the id, and end the tag's value of each.
constexpr const char* k_title = "\" title=\"";
constexpr const char* k_source = "\" src=\"";

std::string embedded_attributes(const std::string& id, const Embedded& embedded) {
  return escape_html(id) + k_title + escape_html(embedded.file) + k_source + embedded.url + "\">";
}

std::map<std::string, Embedded> embedded_on(const std::string& page, const std::string& begin,
                                            const std::string& kind) {
  std::map<std::string, Embedded> all;
  for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    const auto until = [&](const std::string& mark) {
      const std::size_t end = page.find(mark, at);
      std::string value = end == std::string::npos ? "" : page.substr(at, end - at);
      at = end == std::string::npos ? page.size() : end + mark.size();
      return value;
    };
    const std::string id = unescape_html(until(k_title)), file = unescape_html(until(k_source)),
                      url = until("\"");
    if (is_data_url(url, kind)) all.emplace(id, Embedded{url, file});
  }
  return all;
}

// Which file of the pack it is: a reader can follow it there.
std::string file_note(const char* what, const Embedded& embedded) {
  return embedded.url.empty() ? "" : std::string(", ") + what + " " + escape_html(embedded.file);
}

std::string said_html(const std::string& who, const Said& said) {
  return fmt::format("<li><span>{}: <b>{}</b></span><span class=\"{}\">{:.2f}</span></li>", who,
                     said.text.empty() ? "<i>(nothing)</i>" : escape_html(said.text),
                     said.score >= k_right_from ? "right" : "wrong", said.score);
}

// "red (7), blue (3)": ten answers in one line, the most frequent first.
std::string people_html(const std::vector<std::string>& references) {
  std::vector<std::pair<std::string, int>> counts;
  for (const std::string& answer : references) {
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& one) { return one.first == answer; });
    if (found == counts.end())
      counts.emplace_back(answer, 1);
    else
      ++found->second;
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [answer, count] : counts)
    out += (out.empty() ? "" : ", ") + escape_html(answer) +
           (references.size() > 1 ? fmt::format(" ({})", count) : "");
  return out;
}

std::string flip_html(const Comparison& comparison, const FlipExample& flip) {
  std::string out = "<article class=\"card\">";
  if (!flip.image.url.empty()) out += k_image_begin + embedded_attributes(flip.id, flip.image);
  out += "<p><b>" + escape_html(flip.question) +
         "</b></p><p class=\"note\">people: " + people_html(flip.references) + "</p><ul>" +
         said_html("base", flip.base);
  for (const Said& said : flip.answers) out += said_html(group_html(comparison, said.group), said);
  out += "</ul><p class=\"note\">question " + escape_html(flip.id);
  if (!flip.distractor.empty()) out += ", hearing the clip " + escape_html(flip.distractor);
  return out + file_note("picture", flip.image) + "</p></article>\n";
}

std::string clip_html(const Comparison& comparison, const ClipExample& clip) {
  std::string out = "<article class=\"card\">";
  if (!clip.sound.url.empty()) out += k_sound_begin + embedded_attributes(clip.id, clip.sound) + "</audio>";
  out += "<p><b>" + (clip.references.empty() ? "" : escape_html(clip.references.front())) + "</b></p><ul>" +
         said_html("base, hearing nothing", clip.base);
  for (const Said& said : clip.captions) out += said_html(group_html(comparison, said.group), said);
  return out + "</ul><p class=\"note\">" +
         (clip.group == condition::k_memorised ? "trained on" : "new to it") + ", clip " +
         escape_html(clip.id) + file_note("sound", clip.sound) + "; scores are token F1</p></article>\n";
}

std::string flips_note(const Examples& examples) {
  if (examples.flips.empty())
    return "<p>No question that the base answers right was answered wrong with a trained clip.</p>\n";
  return fmt::format(
      "<p class=\"note\">{} questions out of {} negative flips of the first seeds (base right, then wrong "
      "while a "
      "clip plays): of every setting in turn, those first whose answer went furthest from the base. Scores "
      "are VQA "
      "accuracy.</p>\n",
      examples.flips.size(), examples.flips_in_all);
}

}  // namespace

std::string examples_html(const Comparison& comparison, const Examples& examples) {
  std::string out = "<section id=\"flips\"><h2>Answers that flipped</h2>\n" + flips_note(examples);
  if (!examples.flips.empty()) out += "<div class=\"cards\">\n";
  for (const FlipExample& flip : examples.flips) out += flip_html(comparison, flip);
  if (!examples.flips.empty()) out += "</div>";
  out += "</section>\n";
  if (!examples.clips.empty()) {
    out += fmt::format(
        "<section id=\"clips\"><h2>Clips and what was said of them</h2>\n<p class=\"note\">{} of {} clips, "
        "spread evenly over their names and not chosen by result; first seeds.</p>\n<div class=\"cards\">\n",
        examples.clips.size(), examples.clips_in_all);
    for (const ClipExample& clip : examples.clips) out += clip_html(comparison, clip);
    out += "</div></section>\n";
  }
  if (!examples.has_media)
    out += "<p class=\"note\">Pictures and sounds are left out; <code>--pack PACK</code> puts them in.</p>\n";
  else if (examples.left_out > 0)
    out += fmt::format("<p class=\"note\">{} pictures or sounds are left out, to keep the page small.</p>\n",
                       examples.left_out);
  return out;
}

EmbeddedMedia embedded_media(const std::string& page) {
  return {embedded_on(page, k_image_begin, "image"), embedded_on(page, k_sound_begin, "audio")};
}

}  // namespace trainer
