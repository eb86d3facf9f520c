#define G_LOG_DOMAIN "facet"

#include "facet-request.h"

static void
part_free (gpointer data)
{
  FacetPart *part = data;

  g_free (part->text);
  g_free (part->tool);
  g_free (part->path);
  g_clear_pointer (&part->bytes, g_bytes_unref);
  g_free (part);
}

static void
policy_free (gpointer data)
{
  FacetRequestPolicy *policy = data;

  g_free (policy->title);
  g_free (policy->text);
  g_free (policy);
}

static void
turn_free (gpointer data)
{
  FacetTurn *turn = data;

  g_ptr_array_unref (turn->parts);
  g_free (turn);
}

FacetRequest *
facet_request_new (void)
{
  FacetRequest *request = g_new0 (FacetRequest, 1);

  g_atomic_ref_count_init (&request->refs);
  request->turns = g_ptr_array_new_with_free_func (turn_free);
  return request;
}

FacetRequest *
facet_request_ref (FacetRequest *request)
{
  g_atomic_ref_count_inc (&request->refs);
  return request;
}

void
facet_request_unref (FacetRequest *request)
{
  if (!g_atomic_ref_count_dec (&request->refs))
    return;

  g_ptr_array_unref (request->turns);
  g_clear_pointer (&request->tools, g_ptr_array_unref);
  g_clear_pointer (&request->policies, g_ptr_array_unref);
  g_free (request->instruction);
  g_free (request->before);
  g_free (request->after);
  g_free (request->text);
  g_free (request->missing);
  g_free (request);
}

void
facet_request_begin_turn (FacetRequest *request, FacetRole role)
{
  FacetTurn *turn = g_new0 (FacetTurn, 1);

  turn->role = role;
  turn->parts = g_ptr_array_new_with_free_func (part_free);
  g_ptr_array_add (request->turns, turn);
}

static FacetPart *
add_part (FacetRequest *request, FacetPartKind kind)
{
  FacetPart *part = g_new0 (FacetPart, 1);
  FacetTurn *turn;

  g_assert (request->turns->len > 0);
  turn = g_ptr_array_index (request->turns, request->turns->len - 1);
  part->kind = kind;
  g_ptr_array_add (turn->parts, part);
  return part;
}

void
facet_request_add_text (FacetRequest *request, const char *text)
{
  add_part (request, FACET_PART_TEXT)->text = g_strdup (text);
}

void
facet_request_add_picture (FacetRequest *request, const char *path)
{
  add_part (request, FACET_PART_PICTURE)->path = g_strdup (path);
}

void
facet_request_add_sound (FacetRequest *request, const char *path)
{
  add_part (request, FACET_PART_SOUND)->path = g_strdup (path);
}

void
facet_request_add_bytes (FacetRequest *request, FacetPartKind kind, GBytes *bytes, const char *name)
{
  FacetPart *part = add_part (request, kind);

  part->bytes = g_bytes_ref (bytes);
  part->path = g_strdup (name);
}

static void
add_of_tool (FacetRequest *request, FacetPartKind kind, const char *tool, const char *text)
{
  FacetPart *part = add_part (request, kind);

  part->tool = g_strdup (tool);
  part->text = g_strdup (text);
}

void
facet_request_add_call (FacetRequest *request, const char *tool, const char *arguments)
{
  add_of_tool (request, FACET_PART_CALL, tool, arguments);
}

void
facet_request_add_result (FacetRequest *request, const char *tool, const char *text)
{
  add_of_tool (request, FACET_PART_RESULT, tool, text);
}

void
facet_request_set_missing (FacetRequest *request, const char *path)
{
  g_free (request->missing);
  request->missing = g_strdup (path);
}

void
facet_request_transcribe (FacetRequest *request, const char *instruction)
{
  g_free (request->instruction);
  request->instruction = g_strdup (instruction);
}

void
facet_request_summarise (FacetRequest *request, const char *before, const char *after, const char *text)
{
  g_free (request->before);
  g_free (request->after);
  g_free (request->text);
  request->before = g_strdup (before);
  request->after = g_strdup (after);
  request->text = g_strdup (text);
}

void
facet_request_check (FacetRequest *request)
{
  g_assert (request->policies == NULL);
  request->policies = g_ptr_array_new_with_free_func (policy_free);
}

void
facet_request_add_policy (FacetRequest *request, const char *title, const char *text)
{
  FacetRequestPolicy *policy = g_new (FacetRequestPolicy, 1);

  policy->title = g_strdup (title);
  policy->text = g_strdup (text);
  g_ptr_array_add (request->policies, policy);
}
