/* Gemma 4: a system turn, a channel for thoughts, and tokens for tools. In
 * values, <|"|> quotes strings, members are sorted by name without regard to
 * case. Checked with tests/data/kit/expected/chat/gemma4.json. */
#include "chat/template.h"

#include <string.h>

#include "tools/tool.h"

#define QUOTE        "<|\"|>"
#define THOUGHT      "<|channel>"
#define THOUGHT_END  "<channel|>"

void
facet_gemma4_frame (FacetWriter *writer, FacetMedia media)
{
  facet_writer_control (writer, media.image ? "<|image>" : "<|audio>");
  facet_writer_media (writer, media);
  facet_writer_control (writer, media.image ? "<image|>" : "<audio|>");
}

/* ---- values ---- */

static void
write_quoted (FacetWriter *writer, const char *text)
{
  facet_writer_control (writer, QUOTE);
  facet_writer_text (writer, text);
  facet_writer_control (writer, QUOTE);
}

static void
write_upper (FacetWriter *writer, const char *text)
{
  g_autofree char *upper = g_ascii_strup (text, -1);

  write_quoted (writer, upper);
}

static int
by_folded_name (gconstpointer a, gconstpointer b, gpointer object)
{
  const GPtrArray *names = ((const FacetJson *) object)->names;
  g_autofree char *x = g_utf8_strdown (g_ptr_array_index (names, *(const guint *) a), -1);
  g_autofree char *y = g_utf8_strdown (g_ptr_array_index (names, *(const guint *) b), -1);

  return strcmp (x, y);
}

/* Indices of an object's members in the order of their names. */
static guint *
sorted_members (const FacetJson *object)
{
  guint *order = g_new (guint, object->names->len + 1);

  for (guint i = 0; i < object->names->len; i++)
    order[i] = i;
  g_qsort_with_data (order, object->names->len, sizeof *order, by_folded_name, (gpointer) object);
  return order;
}

static void write_value (FacetWriter *writer, const FacetJson *value, gboolean quoted_names);

static void
write_members (FacetWriter *writer, const FacetJson *object, gboolean quoted_names)
{
  g_autofree guint *order = sorted_members (object);

  facet_writer_text (writer, "{");
  for (guint i = 0; i < object->names->len; i++) {
    const char *name = g_ptr_array_index (object->names, order[i]);

    if (i > 0)
      facet_writer_text (writer, ",");
    if (quoted_names)
      write_quoted (writer, name);
    else
      facet_writer_text (writer, name);
    facet_writer_text (writer, ":");
    write_value (writer, g_ptr_array_index (object->items, order[i]), quoted_names);
  }
  facet_writer_text (writer, "}");
}

static void
write_value (FacetWriter *writer, const FacetJson *value, gboolean quoted_names)
{
  switch (value->kind) {
  case FACET_JSON_NULL:
    facet_writer_text (writer, "None");
    break;
  case FACET_JSON_BOOLEAN:
    facet_writer_text (writer, value->boolean ? "true" : "false");
    break;
  case FACET_JSON_NUMBER:
    facet_writer_text (writer, value->text);
    break;
  case FACET_JSON_STRING:
    write_quoted (writer, value->text);
    break;
  case FACET_JSON_ARRAY:
    facet_writer_text (writer, "[");
    for (guint i = 0; i < value->items->len; i++) {
      facet_writer_text (writer, i > 0 ? "," : "");
      write_value (writer, g_ptr_array_index (value->items, i), quoted_names);
    }
    facet_writer_text (writer, "]");
    break;
  case FACET_JSON_OBJECT:
    write_members (writer, value, quoted_names);
    break;
  }
}

/* ---- declarations ---- */

/* Of several types the first that is not null; without any, NULL. */
static const char *
main_type (const FacetJson *schema, gboolean *nullable)
{
  const FacetJson *type = facet_json_member (schema, "type");
  const char *found = type != NULL && type->kind == FACET_JSON_STRING ? type->text : NULL;

  *nullable = FALSE;
  for (guint i = 0; type != NULL && type->kind == FACET_JSON_ARRAY && i < type->items->len; i++) {
    const FacetJson *item = g_ptr_array_index (type->items, i);

    if (g_str_equal (item->text, "null"))
      *nullable = TRUE;
    else if (found == NULL)
      found = item->text;
  }
  return found;
}

static void
next_field (FacetWriter *writer, gboolean *first, const char *name)
{
  facet_writer_text (writer, *first ? "" : ",");
  facet_writer_text (writer, name);
  facet_writer_text (writer, ":");
  *first = FALSE;
}

static void
write_required (FacetWriter *writer, const FacetJson *required)
{
  facet_writer_text (writer, "[");
  for (guint i = 0; i < required->items->len; i++) {
    facet_writer_text (writer, i > 0 ? "," : "");
    write_quoted (writer, ((const FacetJson *) g_ptr_array_index (required->items, i))->text);
  }
  facet_writer_text (writer, "]");
}

static void write_properties (FacetWriter *writer, const FacetJson *properties);

/* The schema of an array's elements shows all it has, in the order of names. */
static void
write_items (FacetWriter *writer, const FacetJson *items)
{
  g_autofree guint *order = sorted_members (items);
  gboolean first = TRUE;

  facet_writer_text (writer, "{");
  for (guint i = 0; i < items->names->len; i++) {
    const char *name = g_ptr_array_index (items->names, order[i]);
    const FacetJson *value = g_ptr_array_index (items->items, order[i]);

    next_field (writer, &first, name);
    if (g_str_equal (name, "properties"))
      write_properties (writer, value);
    else if (g_str_equal (name, "required"))
      write_required (writer, value);
    else if (g_str_equal (name, "type") && value->kind == FACET_JSON_STRING)
      write_upper (writer, value->text);
    else
      write_value (writer, value, TRUE);
  }
  facet_writer_text (writer, "}");
}

static void
write_property (FacetWriter *writer, const FacetJson *schema)
{
  gboolean nullable, first = TRUE;
  const char *type = main_type (schema, &nullable), *description = facet_json_string (schema, "description");
  const FacetJson *choices = facet_json_member (schema, "enum"), *items = facet_json_member (schema, "items");
  const FacetJson *properties = facet_json_member (schema, "properties"), *required = facet_json_member (schema, "required");

  facet_writer_text (writer, "{");
  if (description != NULL && description[0] != '\0') {
    next_field (writer, &first, "description");
    write_quoted (writer, description);
  }
  if (g_strcmp0 (type, "string") == 0 && choices != NULL) {
    next_field (writer, &first, "enum");
    write_value (writer, choices, TRUE);
  }
  if (g_strcmp0 (type, "array") == 0 && items != NULL && items->items->len > 0) {
    next_field (writer, &first, "items");
    write_items (writer, items);
  }
  if (nullable) {
    next_field (writer, &first, "nullable");
    facet_writer_text (writer, "true");
  }
  if (g_strcmp0 (type, "object") == 0) {
    next_field (writer, &first, "properties");
    if (properties != NULL)
      write_properties (writer, properties);
    else
      facet_writer_text (writer, "{}");
    if (required != NULL && required->items->len > 0) {
      next_field (writer, &first, "required");
      write_required (writer, required);
    }
  }
  next_field (writer, &first, "type");
  write_upper (writer, type != NULL ? type : "");
  facet_writer_text (writer, "}");
}

static void
write_properties (FacetWriter *writer, const FacetJson *properties)
{
  g_autofree guint *order = sorted_members (properties);

  facet_writer_text (writer, "{");
  for (guint i = 0; i < properties->names->len; i++) {
    facet_writer_text (writer, i > 0 ? "," : "");
    facet_writer_text (writer, g_ptr_array_index (properties->names, order[i]));
    facet_writer_text (writer, ":");
    write_property (writer, g_ptr_array_index (properties->items, order[i]));
  }
  facet_writer_text (writer, "}");
}

static void
write_declaration (FacetWriter *writer, const FacetTool *tool)
{
  const FacetJson *properties = facet_json_member (tool->parameters, "properties");
  const FacetJson *required = facet_json_member (tool->parameters, "required");

  facet_writer_control (writer, "<|tool>");
  facet_writer_text (writer, "declaration:");
  facet_writer_text (writer, tool->name);
  facet_writer_text (writer, "{description:");
  write_quoted (writer, tool->description);
  facet_writer_text (writer, ",parameters:{");
  if (properties != NULL && properties->items->len > 0) {
    facet_writer_text (writer, "properties:");
    write_properties (writer, properties);
    facet_writer_text (writer, ",");
  }
  if (required != NULL && required->items->len > 0) {
    facet_writer_text (writer, "required:");
    write_required (writer, required);
    facet_writer_text (writer, ",");
  }
  facet_writer_text (writer, "type:");
  write_upper (writer, "object");
  facet_writer_text (writer, "}}");
  facet_writer_control (writer, "<tool|>");
}

/* ---- turns ---- */

static void
open_turn (FacetWriter *writer, const char *role)
{
  facet_writer_control (writer, "<|turn>");
  facet_writer_text (writer, role);
  facet_writer_text (writer, "\n");
}

static void
close_turn (FacetWriter *writer)
{
  facet_writer_control (writer, "<turn|>");
  facet_writer_text (writer, "\n");
}

/* What the model said, without thoughts that the text spells out. */
static void
write_said (FacetWriter *writer, const char *text, gsize length)
{
  g_autoptr (GString) said = g_string_new (NULL);
  g_autofree char *copy = g_strndup (text, length);
  g_auto (GStrv) parts = g_strsplit (copy, THOUGHT_END, -1);

  for (char **part = parts; *part != NULL; part++) {
    const char *thought = strstr (*part, THOUGHT);

    g_string_append_len (said, *part, thought != NULL ? thought - *part : (gssize) strlen (*part));
  }
  facet_writer_trimmed (writer, said->str, said->len);
}

static void
write_call (FacetWriter *writer, const FacetTurnPart *part)
{
  facet_writer_control (writer, "<|tool_call>");
  facet_writer_text (writer, "call:");
  facet_writer_text (writer, part->name);
  write_members (writer, part->value, FALSE);
  facet_writer_control (writer, "<tool_call|>");
}

static void
write_result (FacetWriter *writer, const FacetTurnPart *part)
{
  facet_writer_control (writer, "<|tool_response>");
  facet_writer_text (writer, "response:");
  facet_writer_text (writer, part->name);
  if (part->value->kind == FACET_JSON_OBJECT) {
    write_members (writer, part->value, FALSE);
  } else {
    facet_writer_text (writer, "{value:");
    write_value (writer, part->value, FALSE);
    facet_writer_text (writer, "}");
  }
  facet_writer_control (writer, "<tool_response|>");
}

static void
write_pieces (FacetWriter *writer, const FacetTurn *turn)
{
  for (guint i = 0; i <= turn->parts->len; i++) {
    const char *text;
    gsize length;
    const FacetTurnPart *part = facet_turn_piece (turn, i, &text, &length);

    if (turn->role == FACET_ROLE_MODEL)
      write_said (writer, text, length);
    else
      facet_writer_trimmed (writer, text, length);
    if (part == NULL)
      break;
    if (part->kind == FACET_PART_MEDIA)
      facet_gemma4_frame (writer, part->media);
    else if (part->kind == FACET_PART_CALL)
      write_call (writer, part);
    else
      write_result (writer, part);
  }
}

static void
write_system (FacetWriter *writer, const FacetPrompt *prompt, const FacetTurn *system)
{
  open_turn (writer, "system");
  if (prompt->thinking) {
    facet_writer_control (writer, "<|think|>");
    facet_writer_text (writer, "\n");
  }
  if (system != NULL)
    facet_writer_trimmed (writer, system->text->str, system->text->len);
  for (guint i = 0; prompt->tools != NULL && i < prompt->tools->len; i++)
    write_declaration (writer, g_ptr_array_index (prompt->tools, i));
  close_turn (writer);
}

void
facet_gemma4_render (const FacetPrompt *prompt, FacetWriter *writer)
{
  const FacetTurn *first = facet_prompt_turn (prompt, 0);
  gboolean has_system = first->role == FACET_ROLE_SYSTEM;

  if (has_system || prompt->thinking || prompt->tools != NULL)
    write_system (writer, prompt, has_system ? first : NULL);
  for (guint i = has_system; i < prompt->turns->len; i++) {
    const FacetTurn *turn = facet_prompt_turn (prompt, i);
    gboolean last = i == prompt->turns->len - 1;

    open_turn (writer, turn->role == FACET_ROLE_USER ? "user" : "model");
    write_pieces (writer, turn);
    if (turn->role == FACET_ROLE_USER || !last)
      close_turn (writer);
    if (turn->role == FACET_ROLE_USER && last) {
      open_turn (writer, "model");
      if (!prompt->thinking) {
        facet_writer_control (writer, THOUGHT);
        facet_writer_text (writer, "thought\n");
        facet_writer_control (writer, THOUGHT_END);
      }
    }
    if (last && facet_turn_ends_in (turn, FACET_PART_CALL))
      facet_writer_control (writer, "<|tool_response>");
  }
}
