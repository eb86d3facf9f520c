#include "chat/answer-private.h"

#include <string.h>

#define MAX_CALLS 16

static const char *const no_stops[] = { NULL };

/* ---- where calls begin ---- */

/* Moves over @wanted; FALSE with @at at the end if there may be more of it. */
static gboolean
skip_word (const char *text, gsize length, gsize *at, const char *wanted)
{
  for (; *wanted != '\0'; wanted++) {
    if (*at == length || text[*at] != *wanted)
      return FALSE;
    (*at)++;
  }
  return TRUE;
}

static void
skip_blanks (const char *text, gsize length, gsize *at)
{
  while (*at < length && g_ascii_isspace (text[*at]))
    (*at)++;
}

/* The line that opens a code fence; FALSE as skip_word(). */
static gboolean
skip_fence (const char *text, gsize length, gsize *at)
{
  if (!skip_word (text, length, at, "```"))
    return FALSE;
  while (*at < length && (g_ascii_isalnum (text[*at]) || text[*at] == '_'))
    (*at)++;
  return skip_word (text, length, at, "\n");
}

FacetStart
facet_answer_match_start (FacetCallForm form, const char *text, gsize length, gsize *begin, gboolean *fence)
{
  gsize at = 0;

  skip_blanks (text, length, &at);
  *fence = at < length && text[at] == '`';
  if (*fence) {
    if (!skip_fence (text, length, &at))
      return at == length ? FACET_START_MAYBE : FACET_START_NONE;
    skip_blanks (text, length, &at);
  }
  *begin = at;
  if (form == FACET_CALLS_LINES) {
    return skip_word (text, length, &at, "FUNCTION_CALL:") ? FACET_START_CALL : at == length ? FACET_START_MAYBE : FACET_START_NONE;
  }
  if (!skip_word (text, length, &at, "{"))
    return at == length ? FACET_START_MAYBE : FACET_START_NONE;
  skip_blanks (text, length, &at);
  if (!skip_word (text, length, &at, "\"function_name\""))
    return at == length ? FACET_START_MAYBE : FACET_START_NONE;
  return FACET_START_CALL;
}

/* ---- calls ---- */

void
facet_answer_open_call (FacetAnswer *answer)
{
  answer->part = FACET_ANSWER_CALL;
  facet_grammar_init (&answer->grammar, &answer->tools);
  g_string_truncate (answer->arguments, 0);
}

static void
close_call (FacetAnswer *answer)
{
  g_ptr_array_add (answer->calls, facet_call_new (&answer->grammar, answer->arguments));
  answer->part = FACET_ANSWER_TEXT;
  answer->at_line = TRUE;
}

gssize
facet_answer_feed (FacetAnswer *answer, FacetGrammar *grammar, gint32 id, GString *json)
{
  const char *bytes;
  gsize length, at = 0;

  if (answer->tools.form == FACET_CALLS_FAMILY && (id == answer->marks.quote || id == answer->marks.call_end))
    return facet_grammar_take (grammar, id == answer->marks.quote ? FACET_SYMBOL_QUOTE : FACET_SYMBOL_END, json) ? 0 : -1;
  bytes = facet_tokenizer_bytes (answer->tokenizer, id, &length);
  while (at < length && !grammar->done)
    if (!facet_grammar_take (grammar, (guchar) bytes[at++], json))
      return -1;
  return length > 0 ? (gssize) at : -1;
}

static gboolean
feed_bytes (FacetGrammar *grammar, const char *bytes, gsize length, GString *json, gsize *taken)
{
  for (*taken = 0; *taken < length && !grammar->done; (*taken)++)
    if (!facet_grammar_take (grammar, (guchar) bytes[*taken], json))
      return FALSE;
  return TRUE;
}

/* ---- text on its way out ---- */

static const char *const *
stops_of (const FacetAnswer *answer, int which)
{
  if (answer->params->endless || answer->part == FACET_ANSWER_THOUGHT)
    return no_stops;
  if (which == 0)
    return answer->rendered->stop_strings;
  return answer->params->stop_strings != NULL ? answer->params->stop_strings : no_stops;
}

/* Of what is pending; blanks before the first text may belong to the template. */
static void
emit (FacetAnswer *answer, gsize length)
{
  gboolean thought = answer->part == FACET_ANSWER_THOUGHT;
  GString *whole = thought ? answer->thoughts : answer->text;
  FacetTextFunc func = thought ? answer->params->on_thought : answer->params->on_text;
  g_autofree char *valid = NULL;
  const char *text;

  if (length == 0)
    return;
  answer->at_line = answer->pending->str[length - 1] == '\n';
  valid = g_utf8_make_valid (answer->pending->str, (gssize) length);
  text = valid;
  g_string_erase (answer->pending, 0, (gssize) length);
  if (!thought && answer->rendered->skip_blank && whole->len == 0)
    while (*text == ' ')
      text++;
  if (*text == '\0')
    return;
  g_string_append (whole, text);
  if (func != NULL)
    func (text, strlen (text), answer->params->user_data);
}

/* The first byte of a stop string in what is pending, or -1. */
static gssize
find_stop (const FacetAnswer *answer)
{
  gssize first = -1;

  for (int which = 0; which < 2; which++)
    for (const char *const *stop = stops_of (answer, which); *stop != NULL; stop++) {
      const char *at = **stop != '\0' ? memmem (answer->pending->str, answer->pending->len, *stop, strlen (*stop)) : NULL;

      if (at != NULL && (first < 0 || at - answer->pending->str < first))
        first = at - answer->pending->str;
    }
  return first;
}

/* Bytes at the end that may yet become a character. */
static gsize
unfinished (const GString *pending)
{
  for (gsize n = 1; n <= MIN ((gsize) 3, pending->len); n++) {
    guchar lead = (guchar) pending->str[pending->len - n];

    if (lead < 0x80)
      break;
    if (lead >= 0xc0)
      return g_utf8_get_char_validated (pending->str + pending->len - n, (gssize) n) == (gunichar) -2 ? n : 0;
  }
  return 0;
}

/* The same, or a stop string. */
static gsize
held_back (const FacetAnswer *answer)
{
  const GString *pending = answer->pending;
  gsize held = unfinished (pending);

  for (int which = 0; which < 2; which++)
    for (const char *const *stop = stops_of (answer, which); *stop != NULL; stop++)
      for (gsize n = MIN (strlen (*stop), pending->len); n > held; n--)
        if (memcmp (pending->str + pending->len - n, *stop, n) == 0)
          held = n;
  return held;
}

/* Whether calls are told by what the text says. */
static gboolean
watches_text (const FacetAnswer *answer)
{
  return answer->tools.names != NULL && answer->tools.form != FACET_CALLS_FAMILY;
}

/* The first line in what is pending that is or may be a call; sets where it
 * starts. */
static FacetStart
find_call (const FacetAnswer *answer, const GString *pending, gsize *line, gsize *begin, gboolean *fence)
{
  const char *newline;

  if (!watches_text (answer))
    return FACET_START_NONE;
  for (*line = 0; *line <= pending->len; *line = newline - pending->str + 1) {
    if (*line > 0 || answer->at_line) {
      FacetStart start = facet_answer_match_start (answer->tools.form, pending->str + *line, pending->len - *line, begin, fence);

      if (start != FACET_START_NONE)
        return start;
    }
    newline = memchr (pending->str + *line, '\n', pending->len - *line);
    if (newline == NULL)
      break;
  }
  return FACET_START_NONE;
}

gsize
facet_answer_call_in (FacetAnswer *answer, const char *bytes, gsize length, char **whole)
{
  g_autoptr (GString) pending = g_string_new_len (answer->pending->str, answer->pending->len);
  gsize line, begin;
  gboolean fence;

  g_string_append_len (pending, bytes, length);
  if (find_call (answer, pending, &line, &begin, &fence) != FACET_START_CALL)
    return 0;
  *whole = g_string_free (g_steal_pointer (&pending), FALSE);
  return line + begin;
}

/* What is pending from @begin on has become a call. */
static gboolean
start_call (FacetAnswer *answer, gsize line, gsize begin, gboolean fence)
{
  g_autofree char *rest = g_strdup (answer->pending->str + line + begin);
  gsize taken;
  gboolean fits;

  g_string_truncate (answer->pending, line);
  if (answer->calls->len == 0)
    emit (answer, line);
  g_string_truncate (answer->pending, 0);
  answer->in_fence = fence;
  facet_answer_open_call (answer);
  fits = feed_bytes (&answer->grammar, rest, strlen (rest), answer->arguments, &taken);
  g_assert (fits);
  if (answer->grammar.done) {
    g_string_assign (answer->pending, rest + taken);
    close_call (answer);
  }
  return answer->calls->len == MAX_CALLS;
}

/* After a call come blanks, the end of its fence and calls. TRUE: something
 * else came, which ends the answer. */
static gboolean
after_call (FacetAnswer *answer, FacetStart start)
{
  gsize at = 0;

  skip_blanks (answer->pending->str, answer->pending->len, &at);
  if (at == answer->pending->len || start != FACET_START_NONE)
    return FALSE;
  if (answer->in_fence && (skip_word (answer->pending->str, answer->pending->len, &at, "```") || at == answer->pending->len)) {
    if (at < answer->pending->len) {
      g_string_erase (answer->pending, 0, at);
      answer->in_fence = FALSE;
    }
    return FALSE;
  }
  g_string_truncate (answer->pending, 0);
  return TRUE;
}

static gboolean
take_text (FacetAnswer *answer)
{
  gsize line = 0, begin;
  gboolean fence;
  gssize stop = answer->calls->len == 0 ? find_stop (answer) : -1;
  FacetStart start = find_call (answer, answer->pending, &line, &begin, &fence);

  if (stop >= 0 && (start != FACET_START_CALL || (gsize) stop < line + begin)) {
    g_string_truncate (answer->pending, stop);
    return TRUE;
  }
  if (start == FACET_START_CALL)
    return start_call (answer, line, begin, fence);
  if (answer->calls->len > 0 && watches_text (answer))
    return after_call (answer, start);
  stop = answer->pending->len - held_back (answer);
  emit (answer, start == FACET_START_MAYBE ? MIN ((gsize) stop, line) : (gsize) stop);
  return FALSE;
}

/* ---- thoughts ---- */

/* A channel starts with its name, on a line of its own. */
static void
take_thought (FacetAnswer *answer)
{
  if (!answer->named) {
    const char *newline = memchr (answer->pending->str, '\n', answer->pending->len);

    if (newline == NULL)
      return;
    g_string_erase (answer->pending, 0, newline - answer->pending->str + 1);
    answer->named = TRUE;
  }
  emit (answer, answer->pending->len - unfinished (answer->pending));
}

static void
open_thought (FacetAnswer *answer)
{
  emit (answer, answer->pending->len);
  answer->part = FACET_ANSWER_THOUGHT;
  answer->named = FALSE;
}

static void
close_thought (FacetAnswer *answer)
{
  if (answer->named)
    emit (answer, answer->pending->len);
  g_string_truncate (answer->pending, 0);
  answer->part = FACET_ANSWER_TEXT;
  answer->at_line = TRUE;
}

/* ---- tokens ---- */

static gboolean
take_call_token (FacetAnswer *answer, gint32 id)
{
  gssize taken = facet_answer_feed (answer, &answer->grammar, id, answer->arguments);
  gsize length;
  const char *bytes = facet_tokenizer_bytes (answer->tokenizer, id, &length);

  g_assert (taken >= 0);
  if (!answer->grammar.done)
    return FALSE;
  if (id != answer->marks.call_end)
    g_string_append_len (answer->pending, bytes + taken, length - taken);
  close_call (answer);
  return answer->calls->len == MAX_CALLS || (answer->pending->len > 0 && take_text (answer));
}

gboolean
facet_answer_take (FacetAnswer *answer, gint32 id)
{
  if (answer->part == FACET_ANSWER_TEXT && facet_answer_is_bound (answer) && id != answer->marks.thought && id != answer->marks.call)
    facet_answer_open_call (answer);
  if (answer->part == FACET_ANSWER_CALL)
    return take_call_token (answer, id);
  if (id == answer->marks.thought_end) {
    if (answer->part == FACET_ANSWER_THOUGHT)
      close_thought (answer);
    return FALSE;
  }
  if (id == answer->marks.thought || id == answer->marks.call) {
    if (answer->part == FACET_ANSWER_THOUGHT)
      close_thought (answer);
    if (id == answer->marks.thought) {
      open_thought (answer);
    } else {
      emit (answer, answer->pending->len);
      facet_answer_open_call (answer);
    }
    return FALSE;
  }
  /* Not through the table of all tokens, which takes time to make. */
  if (!facet_tokenizer_is_special (answer->tokenizer, id))
    facet_tokenizer_decode (answer->tokenizer, id, answer->pending);
  if (answer->part == FACET_ANSWER_TEXT)
    return take_text (answer);
  take_thought (answer);
  return FALSE;
}

void
facet_answer_end (FacetAnswer *answer)
{
  if (answer->part == FACET_ANSWER_THOUGHT)
    close_thought (answer);
  if (answer->part == FACET_ANSWER_TEXT && (answer->calls->len == 0 || !watches_text (answer)))
    emit (answer, answer->pending->len);
  g_string_truncate (answer->pending, 0);
}

/* ---- the object ---- */

FacetAnswer *
facet_answer_new (FacetTokenizer *tokenizer, const FacetPrompt *prompt, const FacetRendered *rendered, const FacetReplyParams *params, GError **error)
{
  g_autoptr (FacetAnswer) answer = g_new0 (FacetAnswer, 1);

  answer->tokenizer = tokenizer;
  answer->rendered = rendered;
  answer->params = params;
  answer->thinking = prompt->thinking;
  answer->required = prompt->tools != NULL && prompt->choice == FACET_TOOLS_REQUIRED;
  answer->marks = (FacetAnswerMarks){ facet_tokenizer_lookup (tokenizer, "<|channel>"), facet_tokenizer_lookup (tokenizer, "<channel|>"),
                                      facet_tokenizer_lookup (tokenizer, "<|tool_call>"), facet_tokenizer_lookup (tokenizer, "<tool_call|>"),
                                      facet_tokenizer_lookup (tokenizer, "<|\"|>") };
  answer->at_line = TRUE;
  answer->pending = g_string_new (NULL);
  answer->text = g_string_new (NULL);
  answer->thoughts = g_string_new (NULL);
  answer->arguments = g_string_new (NULL);
  answer->calls = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_call_free);
  if (prompt->tools != NULL && !facet_tool_set_init (&answer->tools, prompt->tools, rendered->form, error))
    return NULL;
  return g_steal_pointer (&answer);
}

void
facet_answer_free (FacetAnswer *answer)
{
  g_string_free (answer->pending, TRUE);
  g_string_free (answer->text, TRUE);
  g_string_free (answer->thoughts, TRUE);
  g_string_free (answer->arguments, TRUE);
  g_clear_pointer (&answer->calls, g_ptr_array_unref);
  facet_tool_set_clear (&answer->tools);
  g_free (answer);
}

void
facet_answer_finish (FacetAnswer *answer, FacetReply *reply)
{
  reply->text = g_strdup (answer->text->str);
  reply->thoughts = g_strchomp (g_strdup (answer->thoughts->str));
  reply->calls = g_steal_pointer (&answer->calls);
}
