#include "trainer/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/digest.hpp"
#include "common/media/image.hpp"
#include "trainer/report/beyond_stream.hpp"
#include "trainer/report/curves.hpp"
#include "trainer/report/equal_skill.hpp"
#include "trainer/report/examples.hpp"
#include "trainer/report/figures.hpp"
#include "trainer/report/html.hpp"
#include "trainer/report/link.hpp"
#include "trainer/report/retention_sizes.hpp"
#include "trainer/report/style.hpp"
#include "trainer/report/tables.hpp"
#include "trainer/report/verdict.hpp"
#include "trainer/report/words.hpp"

namespace trainer {
namespace {

std::string legend_html(const Comparison& comparison) {
  std::string out = "<ul class=\"legend\">";
  for (std::size_t g = 0; g < comparison.groups.size(); ++g)
    out += "<li>" + group_html(comparison, g) + "</li>";
  return out + "</ul>\n";
}

// "75.1 [70.2, 79.4]": the interval under the number, where the eye can skip it; a range likewise.
std::string cell_html(const std::string& text) {
  const std::size_t at = std::min(text.find(" ["), text.find(" ("));
  if (at == std::string::npos) return escape_html(text);
  return escape_html(text.substr(0, at)) + "<small>" + escape_html(text.substr(at + 1)) + "</small>";
}

std::optional<std::size_t> find_group(const Comparison& comparison, const std::string& label) {
  for (std::size_t g = 0; g < comparison.groups.size(); ++g)
    if (comparison.groups[g].label == label) return g;
  return std::nullopt;
}

// A group, or two of them with an arrow between.
std::string row_name_html(const Comparison& comparison, const std::string& name) {
  if (name.ends_with(k_primary_mark))
    return row_name_html(comparison, name.substr(0, name.size() - k_primary_mark.size())) +
           escape_html(std::string(k_primary_mark));
  if (const auto group = find_group(comparison, name)) return group_html(comparison, *group);
  const std::string arrow = " → ";
  for (std::size_t at = 0; (at = name.find(arrow, at)) != std::string::npos; at += arrow.size()) {
    const auto first = find_group(comparison, name.substr(0, at)),
               second = find_group(comparison, name.substr(at + arrow.size()));
    if (first && second) return group_html(comparison, *first) + arrow + group_html(comparison, *second);
  }
  return escape_html(name);
}

// The title stands outside the part that scrolls, so that a phone shows all of it.
std::string table_html(const Comparison& comparison, const Table& table) {
  if (table.rows.empty()) return "";
  const std::string title = escape_html(table.title);
  std::string out = "<p class=\"caption\">" + title + "</p><div class=\"scroll\"><table aria-label=\"" +
                    title + "\"><thead><tr>";
  for (const std::string& head : table.head) out += "<th scope=\"col\">" + escape_html(head) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr><th scope=\"row\">" + row_name_html(comparison, row.front()) + "</th>";
    for (std::size_t i = 1; i < row.size(); ++i) out += "<td>" + cell_html(row[i]) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string figure_html(const Figure& figure, const char* css_class) {
  if (figure.wide.empty()) return "";
  std::string out =
      fmt::format("<figure class=\"{}\"><figcaption>{}</figcaption>\n", css_class, escape_html(figure.title));
  if (figure.narrow.empty()) return out + figure.wide + "</figure>\n";
  return out + "<div class=\"wide\">" + figure.wide + "</div><div class=\"narrow\">" + figure.narrow +
         "</div></figure>\n";
}

std::string figure_html(const std::optional<Figure>& figure, const char* css_class) {
  return figure ? figure_html(*figure, css_class) : "";
}

template <typename Key>
std::size_t distinct(const Comparison& comparison, Key key) {
  std::set<std::string> values;
  for (const RunSummary& run : comparison.runs) values.insert(key(run));
  return values.size();
}

std::string lead_html(const Comparison& comparison) {
  const SplitMetrics& first = comparison.runs.front().metrics.validation;
  const std::size_t packs = distinct(comparison, [](const RunSummary& run) { return run.pack_id; });
  return fmt::format(
      "<p class=\"lead\">{} {} in {} {} from {} {}. {} questions were each answered by the frozen base "
      "without audio and by every adapter while an irrelevant clip played; {} clips were captioned.</p>\n",
      comparison.groups.size(), comparison.groups.size() == 1 ? "setting" : "settings",
      comparison.runs.size(), comparison.runs.size() == 1 ? "run" : "runs", packs,
      packs == 1 ? "pack" : "packs", first.vl_samples, first.audio_samples);
}

std::string warnings_html(const Comparison& comparison) {
  std::string out;
  for (const std::string& warning : comparison.warnings)
    out += "<p class=\"warning\" role=\"note\">Warning: " + escape_html(warning) + ".</p>\n";
  return out;
}

std::string no_figures_html(const FigureSource& figures) {
  if (figures.version != k_no_gnuplot) return "";
  return "<p class=\"warning\" role=\"note\">This page has no figures, since gnuplot was not installed where "
         "it "
         "was made. Their numbers are in the tables; the same command draws them on a machine with "
         "gnuplot.</p>\n";
}

std::string words_html() {
  std::string out = "<details><summary>Words on this page</summary><dl>";
  for (const auto& [word, meaning] : k_report_words)
    out += std::string("<dt>") + word + "</dt><dd>" + meaning + "</dd>";
  return out + "</dl></details>\n";
}

std::string results_html(const Comparison& comparison, const Draw& draw) {
  const Table hearing = hearing_table(comparison), scores = caption_scores_table(comparison),
              beyond = beyond_table(comparison);
  std::string said;
  for (const std::string& sentence : verdicts(comparison)) said += "<p>" + escape_html(sentence) + "</p>\n";
  return "<section id=\"results\"><h2>What was kept and what was learnt</h2>\n" + said +
         figure_html(size_figure(comparison, draw), "big") +
         table_html(comparison, size_accuracy_table(comparison)) +
         table_html(comparison, size_kl_table(comparison)) +
         figure_html(kl_trade_off_figure(comparison, draw), "big") + legend_html(comparison) +
         "<p class=\"note\">Bars are 95 % intervals, small rings are single seeds; the numbers are in the "
         "tables.</p>\n" +
         figure_html(beyond_figure(comparison, draw), "big") +
         figure_html(trade_off_figure(comparison, draw), "big") +
         (beyond.rows.empty() ? "" : table_html(comparison, beyond)) +
         table_html(comparison, question_table(comparison)) +
         table_html(comparison, other_conditions_table(comparison)) +
         table_html(comparison, clip_table(comparison)) +
         (hearing.rows.empty() ? "" : table_html(comparison, hearing)) +
         (scores.rows.empty() ? "" : table_html(comparison, scores)) + words_html() + "</section>\n";
}

std::string paired_html(const Comparison& comparison) {
  const Table table = paired_table(comparison);
  std::string out = "<section id=\"paired\"><h2>Paired comparisons</h2>\n" + table_html(comparison, table);
  if (table.rows.empty())
    out += "<p>No two settings share a pack, a base and a seed, so nothing can be compared.</p>\n";
  return out + "<p class=\"note\">" + escape_html(interval_note(comparison)) + "</p></section>\n";
}

std::string equal_skill_html(const Comparison& comparison, const Draw& draw) {
  const std::vector<Figure> figures = learning_figures(comparison, draw);
  if (figures.empty()) return "";
  std::string out =
      "<section id=\"equal-skill\"><h2>At equal audio skill</h2>\n"
      "<p class=\"note\">Who learns less forgets less, so settings should be compared where they have "
      "learnt equally much.</p>\n" +
      legend_html(comparison) + "<div class=\"panels\">\n";
  for (const Figure& figure : figures) out += figure_html(figure, "panel");
  return out + "</div>\n" + table_html(comparison, at_skill_table(comparison)) +
         table_html(comparison, skill_pair_table(comparison)) + "</section>\n";
}

std::string sweep_html(const Comparison& comparison, const Draw& draw) {
  const std::optional<Figure> figure = sweep_figure(comparison, draw);
  if (!figure) return "";
  return "<section id=\"sweep\"><h2>Gate sweep</h2>\n" + figure_html(*figure, "mid") +
         table_html(comparison, sweep_table(comparison)) + "</section>\n";
}

std::string curves_html(const Comparison& comparison, const Draw& draw) {
  const Curves curves = loss_curves(comparison, draw);
  if (curves.figures.empty()) return "";
  std::string out = "<section id=\"curves\"><h2>Training, every recorded term</h2>\n" +
                    legend_html(comparison) + "<div class=\"panels\">\n";
  for (const Figure& figure : curves.figures) out += figure_html(figure, "panel");
  return out + "</div>\n<details><summary>The numbers of these curves</summary>" +
         table_html(comparison, curves.table) + "</details></section>\n";
}

std::string plain_section(const Comparison& comparison, const char* id, const char* title,
                          const Table& table) {
  if (table.rows.empty()) return "";
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n", id, title) + table_html(comparison, table) +
         "</section>\n";
}

std::string null_space_html(const Comparison& comparison, const Draw& draw) {
  const Table table = null_space_table(comparison);
  if (table.rows.empty()) return "";
  return "<section id=\"null-space\"><h2>Null space: what it still lets through</h2>\n"
         "<p class=\"note\">U is the space that the inputs of the protected map span on the retention "
         "questions, up to the stated share of their energy. Leak is 0 but for rounding. What is left of the "
         "questions outside U the map may still change: the bound follows from the size of its change and "
         "the "
         "largest direction outside U. It holds for the inputs that U was made of, before training. At the "
         "first fused layer the trained model has the same ones; at layers above, training has moved them, "
         "and the bound can be broken.</p>\n" +
         figure_html(drift_figure(comparison, draw), "mid") + table_html(comparison, table) + "</section>\n";
}

std::string config_text(const RunSummary& run, const char* key) {
  if (!run.config.contains(key)) return "-";
  const common::Json& value = run.config.at(key);
  return value.is_string() ? value.get<std::string>() : common::dump_line(value);
}

std::string hash_html(const std::string& hash) {
  return "<span class=\"hash\">" + escape_html(hash) + "</span>";
}

std::string provenance_html(const Comparison& comparison) {
  std::string out =
      "<section id=\"bytes\"><h2>What was run, on which bytes</h2>\n"
      "<p>Each run directory is sealed: its <code>SHA256SUMS</code> names every byte, "
      "<code>config.json</code> in it names "
      "the pack and the models. This page holds the digest of each <code>SHA256SUMS</code>, so "
      "<code>safe-report verify-run report.html</code> follows page, runs and pack id, makes the page again "
      "and "
      "fails on any difference.</p>\n"
      "<div class=\"scroll left\"><table><thead><tr><th scope=\"col\">setting</th><th "
      "scope=\"col\">seed</th><th "
      "scope=\"col\">run directory</th><th scope=\"col\">SHA-256 of its "
      "SHA256SUMS</th></tr></thead><tbody>\n";
  for (std::size_t g = 0; g < comparison.groups.size(); ++g)
    for (const std::size_t r : comparison.groups[g].runs) {
      const RunSummary& run = comparison.runs[r];
      out += "<tr><th scope=\"row\">" + group_html(comparison, g) + "</th><td>" + config_text(run, "seed") +
             "</td><td>" + escape_html(run.name) + "</td><td>" + hash_html(run.sums_digest.hex()) +
             "</td></tr>\n";
    }
  out += "</tbody></table></div>\n<dl>";
  for (const auto& [title, key] : {std::pair("pack", "pack_id"), std::pair("base model", "base_digest"),
                                   std::pair("audio encoder", "audio_encoder_digest"),
                                   std::pair("commit of this project", "git_commit")}) {
    std::set<std::string> values;
    for (const RunSummary& run : comparison.runs) values.insert(config_text(run, key));
    out += std::string("<dt>") + title + "</dt>";
    for (const std::string& value : values) out += "<dd>" + hash_html(value) + "</dd>";
  }
  out += "</dl>\n";
  for (std::size_t g = 0; g < comparison.groups.size(); ++g)
    out += "<details><summary>config.json of " + group_html(comparison, g) + ", first seed</summary><pre>" +
           escape_html(common::dump_pretty(comparison.runs[comparison.groups[g].runs.front()].config)) +
           "</pre></details>\n";
  return out + "</section>\n";
}

// The one style sheet is allowed by its digest; nothing else may be fetched, run or sent.
std::string policy() {
  return "default-src 'none'; img-src data:; media-src data:; style-src 'sha256-" +
         base64(common::digest_of(page_style()).bytes()) + "'; base-uri 'none'; form-action 'none'";
}

}  // namespace

FigureSource figures_here() {
  const std::optional<std::string> version = gnuplot_version();
  return version ? FigureSource{*version, draw_svg} : FigureSource{k_no_gnuplot, draw_nothing};
}

std::string write_page(const PageRequest& request) {
  const Comparison& comparison = request.comparison;
  const FigureSource figures = request.figures ? *request.figures : figures_here();
  const PageSources sources{
      request.run_paths ? *request.run_paths : run_paths_from(comparison, request.page),
      request.examples.has_media ? "pack" : "none", figures.version,
      request.examples.has_media ? request.jpeg.value_or(common::jpeg_library()) : "none"};
  const std::string head =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
      policy() +
      "\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n" +
      link_lines(comparison, sources) + "<title>Overfitting ablation: report</title>\n<style>" +
      page_style() +
      "</style>\n</head>\n<body>\n<main>\n<h1>Overfitting ablation: is vision-language skill kept?</h1>\n";
  return seal_page(head + lead_html(comparison) + no_figures_html(figures) + warnings_html(comparison) +
                   results_html(comparison, figures.draw) + paired_html(comparison) +
                   equal_skill_html(comparison, figures.draw) + sweep_html(comparison, figures.draw) +
                   curves_html(comparison, figures.draw) +
                   plain_section(comparison, "mechanisms", "Mechanisms", mechanism_table(comparison)) +
                   plain_section(comparison, "gate", "Gate of the trained model", gate_table(comparison)) +
                   null_space_html(comparison, figures.draw) +
                   plain_section(comparison, "cost", "Cost", cost_table(comparison)) +
                   examples_html(comparison, request.examples) + provenance_html(comparison) +
                   "</main>\n</body>\n</html>\n");
}

}  // namespace trainer
