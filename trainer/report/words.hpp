// What a report's tables and figures call things, for whoever reads one without the project's documents.
#pragma once

#include <array>
#include <utility>

namespace trainer {

using ReportWord = std::pair<const char*, const char*>;  // a word and its meaning, plain text

inline constexpr std::array<ReportWord, 30> k_report_words = {{
    {"setting",
     "which retention mechanisms were switched on (the variant), and what else differs in config.json"},
    {"seed", "the number that all draws of a run come from; runs that differ in it alone are one setting"},
    {"base", "the frozen vision-language model, which answers without audio"},
    {"distractor",
     "the sound that plays while a question is asked and has nothing to do with it; a trained clip: one of "
     "those that were trained on; a new clip: a held-out one"},
    {"retention questions", "the questions that mechanisms see in training; nobody is judged on them"},
    {"other words, instruction moved, no picture",
     "questions unlike those that retention sees: asked in words that none of them has; the usual questions "
     "with the instruction at the other end; and without their pictures"},
    {"KL, the mechanism",
     "a loss that pulls the answers with a distractor to those of the base, by Kullback-Leibler divergence "
     "at "
     "a temperature"},
    {"Fisher",
     "a loss that holds each trained number near where it was, the more so the more the base's answers "
     "depend on it (elastic weight consolidation)"},
    {"null space",
     "the gate's weight is kept orthogonal to U, so that it moves the states of the retention questions "
     "little"},
    {"U, rank, energy",
     "the directions in which most of the retention questions' states lie: as many (the rank) as hold the "
     "stated share of their squared length (the energy)"},
    {"leak", "the share of a protected map's change that lies in U all the same; 0 but for rounding"},
    {"replay", "training on the base's own answers to the retention questions too"},
    {"L2-SP", "a loss that holds every trained number near its start, all alike"},
    {"averaging", "after training, going back part of the way to the start"},
    {"gate", "how far audio is let into a fused layer, number by number, from 0 (the base) to 1"},
    {"gate sweep", "the questions asked again with all gates scaled by 0, 1/4, 1/2 and 1"},
    {"agreement", "share of questions to which the model gives the base's answer"},
    {"negative flip", "a question that the base answers right and the model does not"},
    {"KL to base", "how far the model's answer distribution is from the base's, in nats; 0 is equal"},
    {"median KL", "the KL that half of the questions stay below: a few questions make most of the mean"},
    {"KL ratio",
     "KL to base of the first setting, divided by that of the second; above 1 the second is nearer"},
    {"retention", "accuracy while a trained clip plays, divided by the base's accuracy"},
    {"change of NLL", "how much less likely the right answers became, in nats; above 0 is worse"},
    {"token F1", "how many words a caption shares with the one that was asked for; equal ones have 100 %"},
    {"BLEU-4, ROUGE-L, CIDEr-D", "the usual measures of captions, as the COCO caption tools compute them"},
    {"gain", "token F1 of the captions, minus that of the base, which hears nothing"},
    {"audio skill", "token F1 of the captions of trained clips, or their accuracy"},
    {"McNemar, Cohen's g",
     "a test of the questions that only one of two settings answers right, and how uneven they are: 0 is "
     "even, 0.05 small, 0.15 medium, 0.25 large"},
    {"p",
     "how often chance alone would make a difference this large or larger, if there were none; corrected by "
     "Holm's method for the number of comparisons, but for a primary one, which must have been chosen "
     "before the runs"},
    {"95 % interval", "made so that it holds the truth in 95 of 100 such experiments"},
}};

}  // namespace trainer
