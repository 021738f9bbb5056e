#include "trainer/report/style.hpp"

namespace trainer {

// Colours: Okabe and Ito's palette for all kinds of colour vision, darkened where white paper needs it and
// lightened where a dark page does; marks differ in shape and letter as well.
const std::string& page_style() {
  static const std::string style = R"css(
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--muted:#5b6068;--grid:#e2e4e8;--line:#cfd3d9;--soft:#f5f6f8;
--good:#00704f;--bad:#a63b00;--warn:#fff4d6;
--s0:#0072b2;--s1:#c8500a;--s2:#00815f;--s3:#b0528c;--s4:#8f6c00;--s5:#2e8fc7;--s6:#6a4fb3;--s7:#666b72}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e8eaed;--muted:#a3a9b2;--grid:#2a2e34;--line:#3d434b;
--soft:#1d2025;--good:#4fd0a5;--bad:#ff9d66;--warn:#3a3013;
--s0:#56b4e9;--s1:#ff8c42;--s2:#2cc99a;--s3:#e79ac4;--s4:#e6d23c;--s5:#9ad0f5;--s6:#b9a2f2;--s7:#bdbdbd}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--muted:#444;--grid:#ddd;--line:#bbb;--soft:#fff;
--good:#00573d;--bad:#8a3100;--warn:#fff;
--s0:#0072b2;--s1:#c8500a;--s2:#00815f;--s3:#b0528c;--s4:#8f6c00;--s5:#2e8fc7;--s6:#6a4fb3;--s7:#666b72}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:74rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.2em 0}
h2{font-size:1.25rem;margin:2.6rem 0 .5rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{max-width:46rem;margin:.5rem 0}
.lead{font-size:1.05rem;color:var(--muted)}
.note{color:var(--muted);font-size:.9rem}
.warning{background:var(--warn);border-left:4px solid var(--bad);padding:.5rem .8rem;margin:.6rem 0}
code,.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.85em}
.hash{overflow-wrap:anywhere}
figure{margin:.8rem 0}
figcaption{font-weight:600;margin-bottom:.3rem}
figure svg{display:block;width:100%;height:auto;font-family:inherit}
.big svg{max-width:60rem}.mid svg{max-width:34rem}
.narrow{display:none}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:.5rem 1.2rem}
.panels figure{margin:.3rem 0}.panels figcaption{font-size:.9rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:1rem;align-items:start}
.mark{width:.85em;height:.85em;vertical-align:-.07em;margin-right:.35em}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}.s6{fill:var(--s6)}.s7{fill:var(--s7)}
.legend{list-style:none;padding:0;margin:.4rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.92rem}
.scroll{overflow-x:auto;margin:0 0 1.2rem;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;width:100%}
.caption{max-width:none;margin:1rem 0 .3rem;color:var(--muted);font-size:.88rem;break-after:avoid}
th,td{padding:.35rem .5rem;text-align:right;border-top:1px solid var(--grid);white-space:nowrap}
thead th{white-space:normal;font-weight:600;border-top:0;border-bottom:1px solid var(--line);vertical-align:bottom}
th:first-child,td:first-child{white-space:normal;min-width:9rem;max-width:17rem;text-align:left;position:sticky;left:0;background:var(--paper)}
.left th,.left td{text-align:left}
tbody th{font-weight:600}
td small{display:block;color:var(--muted);font-size:.92em}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:6px;padding:.8rem;background:var(--soft);break-inside:avoid;overflow-wrap:anywhere}
.card img{display:block;width:100%;max-height:14rem;object-fit:contain;background:var(--paper);border-radius:4px;margin-bottom:.5rem}
.card audio{width:100%;margin-bottom:.5rem}
.card p{margin:.25rem 0}
.card ul{list-style:none;padding:0;margin:.4rem 0}
.card li{padding:.15rem 0;border-top:1px solid var(--grid);display:flex;gap:.5rem;justify-content:space-between}
.card li span:last-child{white-space:nowrap;font-variant-numeric:tabular-nums}
.right{color:var(--good)}.wrong{color:var(--bad)}
details{margin:.5rem 0}summary{cursor:pointer}
pre{overflow-x:auto;background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.6rem;font-size:.8rem;line-height:1.4}
@media (max-width:640px){main{padding:1rem .8rem 3rem}h1{font-size:1.35rem}.wide{display:none}.narrow{display:block}
th:first-child,td:first-child{max-width:9.5rem;white-space:normal}}
@media print{@page{margin:14mm}body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}
figure,tr,.card{break-inside:avoid}.scroll{overflow:visible;border:0}table{font-size:7.2pt}th,td{padding:.2rem .3rem;white-space:normal}
th:first-child,td:first-child{position:static}.card audio{display:none}.wide{display:block}.narrow{display:none}}
)css";
  return style;
}

}  // namespace trainer
