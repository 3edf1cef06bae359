{{%AUTOESCAPE context="HTML"}}<article class="requirement" id="{{ANCHOR}}" aria-labelledby="{{ANCHOR}}-h">
<h3 id="{{ANCHOR}}-h"><span class="chip v-{{CLASS}}"><span aria-hidden="true">{{SYMBOL}}</span> {{WORD}}</span> <span class="mono">{{ID}}</span> {{NAME}}</h3>
{{#BECAUSE}}<p class="because">{{TEXT}}</p>{{/BECAUSE}}
<dl class="columns">
<div><dt>Minimum</dt><dd>{{MINIMUM}}</dd></div>
<div><dt>Evidence</dt><dd>{{EVIDENCE}}</dd></div>
<div><dt>Assessment</dt><dd>{{ASSESSMENT}}</dd></div>
</dl>
<p class="small">{{PROVENANCE}}{{#DECLARED}} The maker declares support {{TEXT}}.{{/DECLARED}}</p>
{{#CASE}}
<section class="case">
<h4><span class="chip v-{{CLASS}}"><span aria-hidden="true">{{SYMBOL}}</span> {{WORD}}</span> <span class="mono">{{ID}}</span> {{NAME}}</h4>
<p class="small">{{TYPE}}{{#BECAUSE}}: {{TEXT}}{{/BECAUSE}}</p>
{{>UNIT}}
</section>
{{/CASE}}
</article>
