"""The look of the page: one style sheet for phone and desk, light and dark, print; no address in it."""

CSS = """
:root{color-scheme:light dark;--ground:#fff;--raised:#f5f6f8;--ink:#1b1e25;--quiet:#565d6b;--line:#d9dde4;
--agent:#4338ca;--mixed:#8a76ee;--human:#8090a5;--service:#0d8a7f;--unknown:#b57614;--bad:#b42318;--link:#3730a3}
@media (prefers-color-scheme:dark){:root{--ground:#12141a;--raised:#1b1e27;--ink:#e8eaf0;--quiet:#a5adbb;--line:#323743;
--agent:#9c9bff;--mixed:#6b5fd6;--human:#66738a;--service:#2bb3a3;--unknown:#d6a03c;--bad:#ff8a7a;--link:#b4b6ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
header,main,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
footer{padding-bottom:3rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .5rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.25rem 0 .75rem;max-width:42rem}
section{border-top:1px solid var(--line);padding:1.5rem 0 .75rem}
a{color:var(--link)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
pre{background:var(--raised);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .75rem;margin:.5rem 0 .25rem;
white-space:pre-wrap}
.quiet{color:var(--quiet);font-size:.9rem}
.lead{font-size:1.15rem}
.partial{border-left:.3rem solid var(--bad);background:var(--raised);padding:.6rem .75rem}
.cards{display:grid;grid-template-columns:repeat(2,1fr);gap:.75rem;list-style:none;margin:1.25rem 0;padding:0}
.cards li{background:var(--raised);border:1px solid var(--line);border-radius:.6rem;padding:.75rem}
.cards strong{display:block;font-size:1.6rem;line-height:1.2}
.cards span{display:block;color:var(--quiet);font-size:.85rem}
.cards a{display:block;font-size:.9rem}
@media (min-width:44rem){.cards{grid-template-columns:repeat(4,1fr)}}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
caption{text-align:left;color:var(--quiet);font-size:.9rem;padding-bottom:.25rem}
th,td{text-align:right;vertical-align:top;padding:.35rem 0 .35rem .6rem;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--quiet);font-size:.8rem;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;padding-left:0}
.wide{text-align:left}
td.wide{width:55%}
@media (max-width:30rem){th,td{padding-left:.4rem}thead th{font-size:.72rem}th,td{font-size:.92rem}}
thead th{overflow-wrap:normal}
.date{white-space:nowrap}
svg{display:block;width:100%}
.bar{height:.6rem;margin-top:.25rem;background:var(--raised)}
.tall{height:1.1rem}
.columns{height:7rem;border-bottom:1px solid var(--line)}
.ends{display:flex;justify-content:space-between;max-width:none}
rect{stroke:var(--ground);stroke-width:1px;vector-effect:non-scaling-stroke}
.agent{fill:var(--agent)}.mixed{fill:var(--mixed)}.human,.none{fill:var(--human)}
.service,.independent{fill:var(--service)}.self,.held{fill:var(--bad)}.unknown{fill:var(--unknown)}
.key{list-style:none;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));column-gap:1rem;padding:0;margin:.5rem 0 1rem;display:grid;gap:.2rem}
.key li{display:grid;grid-template-columns:1.25rem 1fr;align-items:baseline}
.key svg{width:.8rem;height:.8rem}
.commits,.paths,.gaps{padding:0;margin:.5rem 0 1rem;list-style:none}
.commits>li,.paths>li{border-bottom:1px solid var(--line);padding:.6rem 0}
.gaps li{padding:.2rem 0}
.commits ul{margin:.25rem 0;padding-left:1.1rem}
.subject{display:block;font-weight:600}
.tier{color:var(--bad);font-weight:600}
summary{cursor:pointer;color:var(--link);padding:.4rem 0}
@media print{details>*{display:block}section,li{break-inside:avoid}}
"""
