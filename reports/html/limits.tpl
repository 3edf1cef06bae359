{{%AUTOESCAPE context="HTML"}}<section id="limits" aria-labelledby="h-limits">
<h2 id="h-limits">5 <span class="h">Limits of this run</span></h2>
{{#NONE}}<p>{{TEXT}}</p>{{/NONE}}
{{#LIST}}
<div class="scroll">
<table>
<caption>Assumptions, what was left out, and what ended otherwise than planned</caption>
<thead><tr><th scope="col">Kind</th><th scope="col">About</th><th scope="col">What</th></tr></thead>
<tbody>
{{#ITEM}}<tr><td class="kind">{{KIND}}</td><th scope="row">{{SUBJECT}}</th><td>{{WHAT}}</td></tr>
{{/ITEM}}</tbody>
</table>
</div>
{{/LIST}}
</section>
